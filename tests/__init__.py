"""The tests, and the tools that run on them: conformance, sabotage, trace."""
