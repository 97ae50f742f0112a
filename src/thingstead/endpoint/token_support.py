"""Which peers take tokens of more than 8 bytes, as far as that was tried (RFC 8974 §2.2.2)."""

from __future__ import annotations

from thingstead.endpoint.event import Address

__all__ = ["TokenSupport"]

_LIFETIME = 3600.0
"""Seconds that a finding holds: another may have the address by then."""


class TokenSupport:
    """What trials have shown, by address.

    Args:
        max_peers: findings held; the oldest gives way.
    """

    __slots__ = ("_findings", "_max_peers")

    def __init__(self, *, max_peers: int) -> None:
        self._findings: dict[Address, tuple[int, float]] = {}
        self._max_peers = max_peers

    def __len__(self) -> int:
        return len(self._findings)

    def takes(self, peer: Address, size: int, now: float) -> bool | None:
        """Whether `peer` takes a token of `size` bytes; None when that has to be tried."""
        found = self._findings.get(peer)
        if found is None or found[1] <= now:
            return None
        if not found[0]:
            return False
        return True if size <= found[0] else None

    def accept(self, peer: Address, size: int, now: float) -> None:
        """A token of `size` bytes came back from `peer`."""
        before = self._findings.pop(peer, (0, 0.0))
        longest = max(size, before[0]) if before[1] > now else size
        self._note(peer, longest, now)

    def refuse(self, peer: Address, now: float) -> None:
        """`peer` did not know what to do with a long token."""
        self._findings.pop(peer, None)
        self._note(peer, 0, now)

    def _note(self, peer: Address, size: int, now: float) -> None:
        if len(self._findings) >= self._max_peers:
            del self._findings[next(iter(self._findings))]
        self._findings[peer] = (size, now + _LIFETIME)
