"""Floor 10: a CoAP proxy that carries what it cannot read, to where it is told and nowhere else."""
