"""Floor 1: bytes that must not be shown."""

from __future__ import annotations

import hmac
from typing import Never

__all__ = ["Secret"]


class Secret:
    """Key material that redacts itself.

    Its `repr`, `str` and format show the length only; equality takes constant time; it cannot be
    pickled or hashed. `reveal()` is the one way to the bytes, so that every use can be found.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The bytes themselves; the caller must neither log nor persist them outside a key store."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret is a leak of it

    def __repr__(self) -> str:
        return f"<Secret of {len(self._value)} bytes>"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> Never:
        raise TypeError("a Secret is not pickled")
