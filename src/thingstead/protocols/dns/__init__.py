"""Floor 3: the Domain Name System (RFC 1035), as far as a resolver that passes questions on has to read it."""
