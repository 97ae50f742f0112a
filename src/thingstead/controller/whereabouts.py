"""Where each thing sits on the network: learned from its verified join, kept across restarts."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from thingstead.domain.network import ThingAddress
from thingstead.domain.ports import Records
from thingstead.errors import DecodeError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.cbor import codec

__all__ = ["Whereabouts"]


class Whereabouts:
    """Addresses by thing (R-34: one authenticated thing each).

    Args:
        records: a window on the network plane's documents.
        mac_of: the link-layer address behind an IP address.
    """

    def __init__(self, records: Records, *, mac_of: Callable[[str], bytes]) -> None:
        self._records = records
        self._mac_of = mac_of
        self._places = {thing_id(name): _decode(document) for name, document in records.load().items()}

    async def note(self, thing: ThingId, ip: str, mac: bytes = b"") -> None:
        """Keep where a thing's handshake came from, or where its owner says; on disk when this returns.

        Args:
            thing: whose.
            ip: its address.
            mac: behind that; empty to ask the segment.
        """
        place = ThingAddress(mac or self._mac_of(ip), ip_address(ip))
        if self._places.get(thing) != place:
            await self._records.write({thing: codec.encode([place.mac, place.ip.packed])})
            self._places[thing] = place

    def locate(self, thing: ThingId) -> tuple[ThingAddress, ...]:
        """What is known of a thing's place; empty before its first join."""
        place = self._places.get(thing)
        return () if place is None else (place,)

    def located(self) -> dict[ThingId, ThingAddress]:
        """Where each thing is of which it is known."""
        return dict(self._places)

    def places(self) -> tuple[ThingAddress, ...]:
        """Where all things are of which it is known."""
        return tuple(self._places.values())


def _decode(document: bytes) -> ThingAddress:
    match codec.decode(document):
        case [bytes(mac), bytes(packed)] if len(mac) == 6 and len(packed) in {4, 16}:
            return ThingAddress(mac, ip_address(packed))
        case _:
            raise DecodeError("expected a place in the network plane's record")
