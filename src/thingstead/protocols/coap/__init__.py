"""Floor 3: CoAP (RFC 7252 and its family), sans-I/O."""
