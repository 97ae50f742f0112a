"""Classes of codes: what an octet is, whether or not its number is registered (RFC 7252 §3)."""

from __future__ import annotations

__all__ = ["code_name", "is_error", "is_request", "is_reserved", "is_response", "is_signal"]


def is_request(code: int) -> bool:
    """Class 0 except 0.00 (RFC 7252 §3)."""
    return 0 < code < 0x20


def is_response(code: int) -> bool:
    """Classes 2, 4 and 5 (RFC 7252 §3)."""
    return code >> 5 in (2, 4, 5)


def is_signal(code: int) -> bool:
    """Class 7, which speaks about a connection (RFC 8323 §5)."""
    return code >> 5 == 7


def is_reserved(code: int) -> bool:
    """Classes 1, 6 and 7, which no message over UDP may have (RFC 7252 §4.2)."""
    return code >> 5 in (1, 6, 7)


def is_error(code: int) -> bool:
    """Classes 4 and 5."""
    return code >> 5 in (4, 5)


def code_name(code: int) -> str:
    """``4.04`` form of any octet."""
    return f"{code >> 5}.{code & 0x1F:02d}"
