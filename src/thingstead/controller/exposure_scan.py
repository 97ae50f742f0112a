"""Knocks at the domain and its own things as a stranger would, and tells which services answer, and to whom (R-89).

Nobody else is knocked at: only the controller's own addresses, and those at which exactly one thing of ours is.
It sends one connection request or one datagram to a port, and says nothing more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

from thingstead.analysis.plain_words import service
from thingstead.analysis.traffic.flow import Flow
from thingstead.clock import Clock
from thingstead.controller.standing import GONE
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.network import ThingAddress
from thingstead.domain.open_service import OpenService, decode, encode
from thingstead.domain.ports import Records, Stranger
from thingstead.domain.register import Register
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId, thing_id
from thingstead.phases.doors import open_doors
from thingstead.planes.network.rule_book import Reason
from thingstead.protocols.cbor import codec
from thingstead.protocols.mud.file import Prefix

__all__ = ["DOCUMENTS", "HERE", "ExposureScan", "Limits"]

DOCUMENTS = "@door/"
"""What the keys of its documents begin with; they stay with the controller."""

HERE = ThingId("")
"""Whose the services of this machine are: no thing's."""

_TCP, _UDP = 6, 17
_OF_HERE = "here"
_PLACES = {"site": "within the site", "internet": "the Internet"}
_ACTOR = "exposure-scan"
_LAST = "last"
_ENFORCED = "nftables"
_STRANGERS = {4: "192.0.2.1", 6: "2001:db8::1"}
"""Somebody on the Internet, for the rules to be asked about; addresses of examples (RFC 5737, RFC 3849)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard is knocked.

    Attributes:
        within: seconds for an answer.
        at_once: ports of one thing.
        every: after which all things are knocked at again.
    """

    within: float = 1.0
    at_once: int = 8
    every: timedelta = timedelta(hours=24)


class ExposureScan:
    """Looks by itself once in a while, and whenever somebody asks.

    Args:
        stranger: knocks; None where nobody does.
        located: where each thing is.
        register: the things.
        explain: what the rules say of conversations.
        mode: who keeps the rules.
        own: addresses of this machine, and the controller's first.
        doors: protocol and port of what the domain itself serves there.
        local: prefixes of the site.
        records: what was found last.
        clock: for UTC.
        limits: how hard.
    """

    def __init__(
        self,
        stranger: Stranger | None,
        located: Callable[[], Mapping[ThingId, tuple[ThingAddress, ...]]],
        register: Register,
        *,
        explain: Callable[[ThingId, tuple[Flow, ...]], Awaitable[tuple[Reason, ...]]],
        mode: Callable[[], str],
        own: Sequence[str],
        doors: Collection[tuple[int, int]],
        local: Sequence[Prefix],
        records: Records,
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        self._stranger = stranger
        self._located = located
        self._register = register
        self._explain = explain
        self._mode = mode
        self._own = tuple(own)
        self._doors = frozenset(doors)
        self._local = tuple(local)
        self._records = records
        self._clock = clock
        self._limits = limits or Limits()
        self._scanning = asyncio.Lock()
        documents = records.load()
        self._found = {
            thing: decode(document, thing=thing)
            for thing, document in ((_thing(key), one) for key, one in documents.items() if key != _LAST)
        }
        self._last = instant(codec.decode(documents[_LAST])) if _LAST in documents else None

    def found(self) -> tuple[OpenService, ...]:
        """What answered when it was knocked at last."""
        return tuple([one for thing in sorted(self._found) for one in self._found[thing]])

    async def look(self) -> None:
        """Knock at all things if it is time.

        Raises:
            StorageError: what was found could not be kept; it is done at the next look.
        """
        at = self._clock.utc()
        if self._last is None:
            # A domain that begins does not knock at once, and one that is restarted often not more often.
            await self._records.write({_LAST: codec.encode(microseconds(at))})
            self._last = at
        if self._stranger is not None and at - self._last >= self._limits.every:
            await self.scan()

    async def scan(self, thing: ThingId | None = None) -> tuple[OpenService, ...]:
        """Knock at one thing, or at all; what is new and expected by nobody is told to the ledger.

        Raises:
            ConfigError: nobody knocks here, or the thing cannot be told apart from others at its address.
            TransportError: nobody says what the rules are.
            StorageError: it could not be kept.
        """
        if self._stranger is None:
            raise ConfigError("nobody knocks at things here")
        async with self._scanning:
            places = self._alone()
            if thing is not None and thing not in places:
                raise ConfigError(f"{thing} has no address that is its own alone, and not this machine's")
            chosen = places if thing is None else {thing: places[thing]}
            at = self._clock.utc()
            addresses = {one: [str(place.ip) for place in some] for one, some in chosen.items()}
            if thing is None:
                addresses[HERE] = self._shown()
            found = {
                one: [service for address in some for service in await self._of(one, address, at)]
                for one, some in addresses.items()
            }
            for one, services in found.items():
                services += [
                    told for told in self._found.get(one, ()) if told.seen_from and told.address in addresses[one]
                ]
            await self._keep(found, at, is_all=thing is None)
        return tuple([one for services in found.values() for one in services])

    def addresses(self) -> tuple[str, ...]:
        """Where somebody elsewhere may knock for us: what is a thing's own alone, or this machine's."""
        return tuple(self._whose())

    async def tell(self, place: str, knocked: Collection[str], opened: Collection[tuple[str, int, int]]) -> None:
        """Take up what answered somebody who knocked elsewhere; what is new and expected by nobody is an alarm.

        Args:
            place: where that was: ``site`` or ``internet``.
            knocked: the addresses.
            opened: address, protocol and port of what answered.

        Raises:
            ConfigError: an address that is nobody's of ours by now.
            TransportError: nobody says what the rules are.
            StorageError: it could not be kept.
        """
        whose = self._whose()
        for address in (*knocked, *[one[0] for one in opened]):
            if address not in whose or address not in knocked:
                raise ConfigError(f"{address[:40]!r} is no address of a thing by now: make another plan")
        async with self._scanning:
            at = self._clock.utc()
            found = {}
            for thing in {whose[address] for address in knocked}:
                doors = [one for one in opened if whose[one[0]] == thing]
                found[thing] = await self._told_of(thing, place, frozenset(knocked), doors, at)
            await self._keep(found, at, is_all=False)

    async def _told_of(
        self, thing: ThingId, place: str, knocked: frozenset[str], doors: Iterable[tuple[str, int, int]], at: datetime
    ) -> list[OpenService]:
        """What answers there now, and what was found from elsewhere before."""
        kept = self._found.get(thing, ())
        before = [one for one in kept if one.seen_from == place and one.address in knocked]
        since = {(one.address, one.protocol, one.port): one.since for one in before}
        fresh = [_reached(await self._judged(thing, *door, at), place) for door in doors]
        dated = [replace(one, since=since.get((one.address, one.protocol, one.port), at)) for one in fresh]
        return [*[one for one in kept if one not in before], *dated]

    def _whose(self) -> dict[str, ThingId]:
        things = {str(one.ip): thing for thing, places in self._alone().items() for one in places}
        return things | dict.fromkeys(self._shown(), HERE)

    def _alone(self) -> dict[ThingId, tuple[ThingAddress, ...]]:
        """Things of whom it is known which packets are theirs; loopback and shared addresses are of others too."""
        here = {one.id for one in self._register.things() if one.state not in GONE}
        located = {thing: places for thing, places in sorted(self._located().items()) if thing in here}
        at_address = Counter(one.ip for places in located.values() for one in places)
        own = {ip_address(text) for text in self._own}
        alone = {
            thing: tuple([one for one in places if at_address[one.ip] == 1 and not one.ip.is_loopback])
            for thing, places in located.items()
        }
        return {thing: places for thing, places in alone.items() if places and not own & {one.ip for one in places}}

    def _shown(self) -> list[str]:
        """Addresses of this machine at which somebody else could knock."""
        return [one for one in self._own if not _is_ours_alone(ip_address(one))]

    async def _of(self, thing: ThingId, address: str, at: datetime) -> list[OpenService]:
        if self._stranger is None:
            return []
        limits = self._limits
        opened = await open_doors(self._stranger, address, within=limits.within, at_once=limits.at_once)
        before = {(one.protocol, one.port): one.since for one in self._found.get(thing, ()) if not one.seen_from}
        return [replace(await self._judged(thing, address, *door, at), since=before.get(door, at)) for door in opened]

    async def _judged(self, thing: ThingId, address: str, protocol: int, port: int, at: datetime) -> OpenService:
        """To whom it is open, by the rules: they are asked about one from each of the three places."""
        if thing == HERE:
            is_ours = (protocol, port) in self._doors
            why = "the domain serves it" if is_ours else "nothing in the domain's settings opens it"
            return OpenService(HERE, address, protocol, port, at, ("site",), is_ours, why)
        family = ip_address(address).version
        froms = {"controller": self._of_family(self._own, family), "site": self._neighbour(family)}
        froms["internet"] = _STRANGERS[family]
        places = {name: remote for name, remote in froms.items() if remote}
        flows = tuple([_visit(remote, protocol, port, at) for remote in places.values()])
        reasons = dict(zip(places, await self._explain(thing, flows), strict=True))
        named = [one for one in reasons.values() if one.allowed]
        is_kept = self._mode() == _ENFORCED
        open_to = tuple([name for name, one in reasons.items() if one.allowed or not is_kept])
        why = named[0].words if named else next(iter(reasons.values())).words
        if not is_kept:
            why = f"nobody enforces the rules here; {why}"
        return OpenService(thing, address, protocol, port, at, open_to, bool(named), why)

    @staticmethod
    def _of_family(addresses: Sequence[str], family: int) -> str:
        return next((one for one in addresses if ip_address(one).version == family), "")

    def _neighbour(self, family: int) -> str:
        """The last address of the site: nobody's in particular."""
        prefix = next((one for one in self._local if one.version == family and one.num_addresses > 2), None)
        return "" if prefix is None else str(prefix[-2])

    async def _keep(self, found: Mapping[ThingId, list[OpenService]], at: datetime, *, is_all: bool) -> None:
        changes: dict[str, bytes | None] = {thing or _OF_HERE: encode(services) for thing, services in found.items()}
        gone = [thing for thing in self._found if thing not in found] if is_all else []
        changes |= dict.fromkeys(gone)
        told = [one for services in found.values() for one in services if one not in self._found.get(one.thing, ())]
        fresh = [one for one in told if one.since == at and not one.expected]
        entries = [_alarm(one, at) for one in fresh]
        if is_all:
            changes[_LAST] = codec.encode(microseconds(at))
            services = sum(not one.seen_from for services in found.values() for one in services)
            details = {"things": len(found) - 1, "services": services, "unexpected": len(fresh)}
            entries.append(Draft(at, Kind.APPRAISAL, _ACTOR, None, "exposure-scan", details))
        await self._records.write(changes, entries=entries)
        self._found |= {thing: services for thing, services in found.items() if services}
        for thing in {*gone, *[thing for thing, services in found.items() if not services]}:
            self._found.pop(thing, None)
        self._last = at if is_all else self._last


def _is_ours_alone(ip: IPv4Address | IPv6Address) -> bool:
    """Addresses at which nobody knocks from elsewhere, or not without saying on which link."""
    return ip.is_loopback or ip.is_unspecified or ip.is_link_local


def _reached(one: OpenService, place: str) -> OpenService:
    """As it was found from there: what the rules let nobody reach, somebody reached by another way."""
    if place in one.open_to:
        return replace(one, seen_from=place)
    by = "; " if one.thing == HERE else ", from where the rules let nobody reach it; "
    why = f"it answered from {_PLACES[place]}{by}{one.why}"
    return replace(one, seen_from=place, open_to=(*one.open_to, place), expected=False, why=why)


def _visit(remote: str, protocol: int, port: int, at: datetime) -> Flow:
    """The conversation that somebody there would begin."""
    packed, seconds = ip_address(remote).packed, at.timestamp()
    kind = 0x0800 if len(packed) == 4 else 0x86DD
    return Flow(b"", False, True, packed, (), kind, protocol, None, port, None, seconds, seconds, 0, 0, 1, 0)


def _alarm(one: OpenService, at: datetime) -> Draft:
    details = {
        "service": service(one.protocol, one.port),
        "open_to": ", ".join(one.open_to),
        "why": one.why[:200],
        **({"seen_from": one.seen_from} if one.seen_from else {}),
    }
    return Draft(at, Kind.ALARM, _ACTOR, one.thing or None, "open-service", details)


def _thing(key: str) -> ThingId:
    return HERE if key == _OF_HERE else thing_id(key)
