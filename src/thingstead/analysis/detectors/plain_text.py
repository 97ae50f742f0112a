"""What a payload shows to everybody who can read it."""

from __future__ import annotations

import re

__all__ = ["readable"]

_FIELD = rb"[\"']?\s{0,4}[=:>]\s{0,4}[\"']?[^\s\"'&<>]{4}"
_SIGNS = re.compile(
    rb"(?i)(?P<password>\b(?:pass(?:word|wd|phrase)?|pwd|psk|wpa_?key|secret)"
    + _FIELD
    + rb"|\r\nauthorization: ?basic \S{4})"
    rb"|(?P<token>\b(?:access_?token|api_?key|auth_?token)" + _FIELD + rb"|\r\nauthorization: ?bearer \S{4})"
    rb"|(?P<place>\b(?:lat(?:itude)?|lon(?:gitude)?)[\"']?\s?[=:]\s?[\"']?-?\d{1,3}\.\d{3})"
)
_WORDS = (b"pass", b"pwd", b"psk", b"wpa", b"secret", b"authorization", b"token", b"api", b"lat", b"lon")
"""One of these is in whatever shows one of those; to look for it costs a twentieth."""

_MAIL = re.compile(rb"(?i)[=:>\"'\s][\w.+-]{2,64}@[a-z0-9-]{2,63}\.[a-z]{2,8}(?=[<&;\"'\s])")
_AFTER_AT = re.compile(rb"(?i)@[a-z0-9-]{2,63}\.[a-z]{2,8}[<&;\"'\s]")


def readable(payload: bytes) -> str | None:
    """What of its kind can be read: a password, token, place or mail address; None for nothing."""
    lower = payload.lower()
    if any(word in lower for word in _WORDS):
        sign = _SIGNS.search(payload)
        if sign is not None:
            return sign.lastgroup
    if b"@" in payload and _AFTER_AT.search(payload) and _MAIL.search(payload):
        return "mail_address"
    return None
