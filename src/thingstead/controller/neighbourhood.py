"""Which of the things is behind an address: looked up for every conversation and every packet that was dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from thingstead.clock import Clock
from thingstead.domain.network import NO_MAC, ThingAddress
from thingstead.identifier import ThingId

__all__ = ["Neighbourhood"]

_AGAIN = 5.0
"""Seconds: it may be another process that is asked, and everybody waits for it."""


class Neighbourhood:
    """Follows where things are, a look at a time.

    Args:
        located: where each thing is; the network plane's to say.
        clock: monotonic.
    """

    def __init__(self, located: Callable[[], Mapping[ThingId, tuple[ThingAddress, ...]]], *, clock: Clock) -> None:
        self._located = located
        self._clock = clock
        self._next = clock.now()
        self._places: Mapping[ThingId, tuple[ThingAddress, ...]] = {}
        self._by_address: dict[bytes, ThingId] = {}
        self._by_mac: dict[bytes, ThingId] = {}

    async def look(self) -> None:
        """Ask again, now and then.

        Raises:
            TransportError: nobody answers; what was known still is.
        """
        if self._clock.now() < self._next:
            return
        located = self._places = self._located()
        self._next = self._clock.now() + _AGAIN
        pairs = [(thing, one) for thing, places in located.items() for one in places]
        self._by_address = {one.ip.packed: thing for thing, one in pairs}
        self._by_mac = {one.mac: thing for thing, one in pairs if one.mac != NO_MAC}

    def thing_at(self, *addresses: bytes) -> ThingId | None:
        """Whose the first of these is that is a thing's: link-layer addresses or packed IP addresses."""
        for one in addresses:
            thing = self._by_mac.get(one) or self._by_address.get(one)
            if thing is not None:
                return thing
        return None

    def devices(self, thing: ThingId) -> tuple[bytes, ...]:
        """Addresses that are the thing's, of the link layer and of IP; none where nobody knows."""
        places = self._places.get(thing, ())
        return tuple(dict.fromkeys(address for one in places for address in (one.mac, one.ip.packed)))

    def name(self, address: bytes) -> str:
        """What the domain calls an address; empty where it is no thing's."""
        return self.thing_at(address) or ""
