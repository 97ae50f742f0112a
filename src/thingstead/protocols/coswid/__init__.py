"""Floor 3: CoSWID, what a piece of software is called (RFC 9393)."""
