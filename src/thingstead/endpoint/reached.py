"""Who was seen to receive, of those that nobody knows."""

from __future__ import annotations

from thingstead.endpoint.event import Address

__all__ = ["Reached"]


class Reached:
    """Strangers that were seen to receive what is sent to them: asked once, not for each message (RFC 9175 §2.4).

    Args:
        max_sources: how many are remembered; the one proven longest ago gives way.
        lifetime: seconds for which one proof holds.
    """

    __slots__ = ("_lifetime", "_max_sources", "_until")

    def __init__(self, *, max_sources: int, lifetime: float) -> None:
        self._max_sources = max_sources
        self._lifetime = lifetime
        self._until: dict[Address, float] = {}

    def note(self, source: Address, now: float) -> None:
        """It has brought back an Echo value that was sent there."""
        until = self._until
        until.pop(source, None)
        if len(until) >= self._max_sources:
            del until[next(iter(until))]
        until[source] = now + self._lifetime

    def has(self, source: Address, now: float) -> bool:
        """Whether it did so lately."""
        return self._until.get(source, now) > now
