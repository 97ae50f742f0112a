"""Floor 3: what a device says of itself when it asks for an address (RFC 2131, RFC 8415)."""
