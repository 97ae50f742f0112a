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
        await self.place(thing, (ip,), mac or self._mac_of(ip))

    async def place(self, thing: ThingId, ips: tuple[str, ...], mac: bytes) -> None:
        """Keep where a thing is by its owner's word, with all its addresses; without any it is nowhere any more."""
        places = tuple([ThingAddress(mac, ip_address(ip)) for ip in ips])
        if self.locate(thing) == places:
            return
        await self._records.write({thing: codec.encode([mac, *[one.ip.packed for one in places]]) if places else None})
        self._places[thing] = places
        if not places:
            del self._places[thing]

    def locate(self, thing: ThingId) -> tuple[ThingAddress, ...]:
        """What is known of a thing's place; empty before its first join."""
        return self._places.get(thing, ())

    def located(self) -> dict[ThingId, tuple[ThingAddress, ...]]:
        """Where each thing is of which it is known."""
        return dict(self._places)

    def places(self) -> tuple[ThingAddress, ...]:
        """Where all things are of which it is known."""
        return tuple([one for places in self._places.values() for one in places])


def _decode(document: bytes) -> tuple[ThingAddress, ...]:
    match codec.decode(document):
        case [bytes(mac), bytes(), *_] as row if len(mac) == 6 and all(_is_packed(one) for one in row[1:]):
            return tuple([ThingAddress(mac, ip_address(packed)) for packed in row[1:]])
        case _:
            raise DecodeError("expected a place in the network plane's record")


def _is_packed(value: object) -> bool:
    return isinstance(value, bytes) and len(value) in {4, 16}
