"""Floor 11: a domain, its things and their network in one process, in a time that jumps; for scenarios and decades."""
