"""Floor 3: Group OSCORE, one CoAP message for a whole group, its source still proved (RFC 10021)."""
