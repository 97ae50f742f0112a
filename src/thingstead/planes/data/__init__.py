"""Floor 7: the data plane: what things tell, for what purpose it is kept, and for how long."""
