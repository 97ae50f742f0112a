"""Floor 5: the one ledger: entries, their Merkle tree, and signed heads of it."""
