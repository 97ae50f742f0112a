"""Addresses from which things come that have left: how often each may make us find that out.

To know who comes costs a whole handshake, and what has left may come for ever. Each refusal is of a proven identity,
from an address that was seen to receive, so that nobody uses up the share of an address without the key of a thing that
left and a place behind that address. The share is that of the half-open table, once a second: whoever can fill it can
push the handshakes of their neighbours out of that table with no identity at all (`PendingSessions`).
"""

from __future__ import annotations

from thingstead.endpoint.event import Address
from thingstead.errors import TransportError

__all__ = ["Unwelcome"]

_MAX_HOSTS = 1024
"""Hosts that are remembered; of more, who was refused longest ago is forgotten first, whose share is fullest again."""


class Unwelcome:
    """Counts refusals of things that have left, by host.

    Args:
        share: refusals of one host at once, and again in each second.
    """

    __slots__ = ("_hosts", "_share")

    def __init__(self, *, share: int) -> None:
        self._share = float(share)
        self._hosts: dict[str, tuple[float, float]] = {}

    def note(self, source: Address, now: float) -> None:
        """One more was refused that came from there."""
        left = self._left(source[0], now) - 1.0
        # Anew at the end: the order is that of the newest refusals.
        self._hosts.pop(source[0], None)
        self._hosts[source[0]] = (left, now)
        if len(self._hosts) > _MAX_HOSTS:
            del self._hosts[next(iter(self._hosts))]

    def require_share(self, source: Address, now: float) -> None:
        """Let a host begin a handshake that has some of its share left.

        Raises:
            TransportError: it has none ("unwelcome"); it has again within a second.
        """
        if self._left(source[0], now) < 1.0:
            raise TransportError(f"too many things that have left come from {source[0]}", reason="unwelcome")

    def _left(self, host: str, now: float) -> float:
        left, at = self._hosts.get(host, (self._share, now))
        return min(self._share, left + (now - at) * self._share)
