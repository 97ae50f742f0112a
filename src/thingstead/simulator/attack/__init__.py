"""Floor 11: attacks on a domain of our own, as patterns of traffic: what each tries, and how every plane answers."""
