"""Who is on the network as this plane last acted on it, found by thing or by address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from thingstead.domain.network import ThingAddress
from thingstead.domain.plane import Demand
from thingstead.domain.thing import Thing
from thingstead.identifier import ThingId

__all__ = ["Resident", "Residents"]


@dataclass(frozen=True, slots=True)
class Resident:
    """A thing as this plane last acted on it.

    Attributes:
        thing: the record.
        addresses: where it was then.
        demand: what was asked for.
    """

    thing: Thing
    addresses: tuple[ThingAddress, ...]
    demand: Demand


class Residents:
    """All of them; of two that claim one address the later has it, as with the enforcer."""

    def __init__(self) -> None:
        self._residents: dict[ThingId, Resident] = {}
        self._by_address: dict[IPv4Address | IPv6Address, ThingId] = {}

    def put(self, resident: Resident) -> None:
        """Keep how a thing was acted on, in place of what was."""
        thing = resident.thing.id
        before = self._residents.get(thing)
        for one in () if before is None else before.addresses:
            if self._by_address.get(one.ip) == thing:
                del self._by_address[one.ip]
        self._residents[thing] = resident
        self._by_address.update({one.ip: thing for one in resident.addresses})

    def take_back(self, resident: Resident, before: Resident | None) -> None:
        """The enforcer refused it: the thing, and whoever has its addresses, stand as before; unless more was done."""
        thing = resident.thing.id
        if self._residents.get(thing) is not resident:
            return
        self.put(before or Resident(resident.thing, (), resident.demand))
        if before is None:
            del self._residents[thing]
        for one in resident.addresses:
            for other in self if one.ip not in self._by_address else ():
                if one.ip in {its.ip for its in other.addresses}:
                    self._by_address[one.ip] = other.thing.id

    def of(self, thing: ThingId) -> Resident | None:
        """How a thing was acted on; None where it never was."""
        return self._residents.get(thing)

    def at(self, ip: IPv4Address | IPv6Address) -> Resident | None:
        """Who is at an address; None where nobody of ours is."""
        thing = self._by_address.get(ip)
        return None if thing is None else self._residents[thing]

    def admitted(self) -> list[Resident]:
        """Those who are under rules of their own now."""
        return [one for one in self._residents.values() if one.demand is Demand.ADMIT]

    def with_url(self, url: str) -> tuple[ThingId, ...]:
        """Whose MUD file is at `url`."""
        return tuple([one.thing.id for one in self if one.thing.mud_url == url])

    def __iter__(self) -> Iterator[Resident]:
        return iter(self._residents.values())
