"""Floor 3: the standards, one package each. Bytes and `now` in, events and bytes out; no I/O of any kind."""
