"""Floor 5: what a security domain is, in pure values and tables; no I/O, no clock, no randomness."""
