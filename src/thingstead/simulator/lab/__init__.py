"""Floor 11: a lab that attacks: patterns of bad traffic among dummies of our own, and what was found of them."""
