"""Floor 3: hawkBit's Direct Device Integration API, version 1: what devices ask over it, and what they are told."""
