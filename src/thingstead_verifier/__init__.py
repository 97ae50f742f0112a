"""The ledger verifier: a program of its own that shares no code with the writer."""
