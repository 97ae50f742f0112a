"""Floor 3: COSE (RFC 9052), its keys and its countersignatures; stands on `cbor` alone."""
