"""Echo: proof that a request is fresh and its source reachable, and the limit until then (RFC 9175 §2)."""

from __future__ import annotations

from typing import TypeGuard

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import hmac_tag, verify_hmac
from thingstead.errors import ExpiredError
from thingstead.secret import Secret

__all__ = ["EchoMint", "amplification_allowance", "is_echo"]

_AMPLIFICATION_FACTOR = 3
_MAX_SIZE = 40
_TIME_SIZE = 4
_TIME_MASK = 0xFFFFFFFF


class EchoMint:
    """Makes and checks Echo values without a table: time ‖ truncated HMAC over time and peer (RFC 9175 App. A.2).

    Args:
        key: 32 fresh random bytes per process; values die with it.
        lifetime: seconds a value is good for.
    """

    __slots__ = ("_key", "_lifetime")

    def __init__(self, key: Secret, *, lifetime: float) -> None:
        self._key = key
        self._lifetime = lifetime

    def issue(self, peer: bytes, now: float) -> bytes:
        """An Echo value of 12 bytes, good for requests of `peer` only."""
        stamp = (int(now) & _TIME_MASK).to_bytes(_TIME_SIZE, "big")
        return stamp + hmac_tag(self._key, stamp + peer, AlgorithmId.HMAC_256_64)

    def verify(self, value: bytes, peer: bytes, now: float) -> None:
        """Check a value that came back.

        Raises:
            AuthenticationError: not one of ours, or another peer's.
            ExpiredError: ours, but too old.
        """
        stamp = value[:_TIME_SIZE]
        verify_hmac(self._key, stamp + peer, value[_TIME_SIZE:], AlgorithmId.HMAC_256_64)
        if (int(now) - int.from_bytes(stamp, "big")) & _TIME_MASK > self._lifetime:
            raise ExpiredError("expected a fresh Echo value, got an old one", spec="RFC 9175 §2.3")


def is_echo(value: bytes | None) -> TypeGuard[bytes]:
    """Whether an option is there, and of a length that may be brought back: 1 to 40 bytes (RFC 9175 §2.2.1)."""
    return value is not None and 1 <= len(value) <= _MAX_SIZE


def amplification_allowance(received: int) -> int:
    """Bytes that may go to an unverified address that sent `received` bytes (RFC 9175 §2.6)."""
    return _AMPLIFICATION_FACTOR * received
