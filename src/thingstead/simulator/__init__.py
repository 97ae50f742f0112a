"""Floor 11: makers, things and attackers, played on one machine from a seed."""
