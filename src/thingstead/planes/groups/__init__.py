"""Floor 7: the groups plane: who is in which group, and under which keys (RFC 10021, RFC 9594)."""
