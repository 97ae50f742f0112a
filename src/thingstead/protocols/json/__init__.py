"""Floor 3: JSON (RFC 8259) as others send it: bounded, without names that come twice, each value with its place."""
