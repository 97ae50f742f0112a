"""Floor 3: COSE Receipts (RFC 9942) over Merkle trees of RFC 9162."""
