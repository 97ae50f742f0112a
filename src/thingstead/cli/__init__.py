"""Floor 12: the command line: one table of commands, each loaded when it is chosen."""
