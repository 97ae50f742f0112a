"""Floor 3: EDHOC (RFC 9528), authenticated key exchange with one type per state."""
