"""Floor 3: what a device says of itself to its neighbours on the link (IEEE 802.1AB)."""
