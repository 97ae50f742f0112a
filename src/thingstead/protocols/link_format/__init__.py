"""Floor 3: CoRE Link Format (RFC 6690), parsed and rendered."""
