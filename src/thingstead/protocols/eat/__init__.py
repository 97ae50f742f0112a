"""Floor 3: EAT, what a thing says of its own state, under its signature (RFC 9711, RFC 9783)."""
