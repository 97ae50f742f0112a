"""Floor 7: the network plane: MUD files become rules, and the enforcer is asked whether they stand."""
