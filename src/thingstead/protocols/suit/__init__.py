"""Floor 3: SUIT, manifests of firmware updates (draft-ietf-suit-manifest, RFC 9019, RFC 9124)."""
