"""Floor 3: what TLS and DTLS show in clear to whoever is on the way (RFC 8446, RFC 9147); no handshake is made here."""
