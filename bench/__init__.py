"""Figures, not timed tests: ``python -m bench`` prints them and writes build/bench.json."""
