"""Floor 3: OSCORE, one CoAP exchange protected end to end between two parties (RFC 8613)."""
