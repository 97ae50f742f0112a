"""Floor 3: CBOR Web Tokens (RFC 8392), proof of possession (RFC 8747) and the credentials made of them."""
