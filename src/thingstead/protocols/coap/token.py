"""Tokens and message IDs: which names our own messages take (RFC 7252 §4.4, §5.3.1; RFC 9175 §4)."""

from __future__ import annotations

from collections.abc import Callable, Hashable

__all__ = ["MessageIds", "Tokens"]

_UNPREDICTABLE = 4


class Tokens:
    """Tokens that are never used twice in the life of the process (RFC 9175 §4.2).

    A counter makes them so. Where nothing else authenticates a response, 32 random bits are added against
    a sender who cannot see the request (RFC 7252 §5.3.1); the two kinds differ in length and never meet.
    """

    __slots__ = ("_next", "_random_bytes")

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._next = 1
        self._random_bytes = random_bytes

    def protected(self) -> bytes:
        """For a request under OSCORE: 1 to 4 bytes for the first 2**32 - 1."""
        value = self._next
        self._next = value + 1
        return value.to_bytes((value.bit_length() + 7) // 8, "big")

    def unprotected(self) -> bytes:
        """For a request without OSCORE: 8 bytes, half of them unpredictable."""
        value = self._next
        self._next = value + 1
        return (value & 0xFFFFFFFF).to_bytes(4, "big") + self._random_bytes(_UNPREDICTABLE)


class MessageIds:
    """Message IDs counted per peer from a random start, so that none returns within EXCHANGE_LIFETIME.

    Args:
        random_bytes: for the first ID towards a peer.
        max_peers: counters held; the oldest gives way, and its peer gets a new random start.
    """

    __slots__ = ("_max_peers", "_next", "_random_bytes")

    def __init__(self, random_bytes: Callable[[int], bytes], *, max_peers: int) -> None:
        self._next: dict[Hashable, int] = {}
        self._max_peers = max_peers
        self._random_bytes = random_bytes

    def allocate(self, peer: Hashable) -> int:
        """The next ID towards `peer`, 16 bits."""
        mid = self._next.get(peer)
        if mid is None:
            if len(self._next) >= self._max_peers:
                del self._next[next(iter(self._next))]
            mid = int.from_bytes(self._random_bytes(2), "big")
        self._next[peer] = (mid + 1) & 0xFFFF
        return mid
