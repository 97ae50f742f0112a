"""Floor 3: Manufacturer Usage Descriptions (RFC 8520): parse, verify, compile, render. Unverified stays unverified."""
