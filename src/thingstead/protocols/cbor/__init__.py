"""Floor 3: CBOR (RFC 8949), strict. The only importer of `cbor2`."""
