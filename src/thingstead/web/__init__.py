"""Floor 11: the read-only live page: a domain as its owner sees it, through queries only."""
