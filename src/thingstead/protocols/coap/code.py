"""Classes of codes: what an octet is, whether or not its number is registered (RFC 7252 §3)."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["code_name", "is_error", "is_request", "is_reserved", "is_response", "is_signal"]


is_request: Callable[[int], bool] = range(0x01, 0x20).__contains__
"""Class 0 except 0.00 (RFC 7252 §3). Asked of every message, so the interpreter's own method answers."""

is_response: Callable[[int], bool] = frozenset((*range(0x40, 0x60), *range(0x80, 0xC0))).__contains__
"""Classes 2, 4 and 5 (RFC 7252 §3)."""


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
