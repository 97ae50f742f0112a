"""Devices that speak none of our protocols: the owner vouches for them, and the network alone holds them (RFC 8576 §2).

Such a device proves nothing. It is known by its address on the segment, it gets no token and no group, and may do on
the network what a MUD file says that was learned from its traffic, or written by the owner. Files of the owner's have
a URL of ``.invalid``, at which nobody can serve another (RFC 6761 §6.4).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from thingstead.analysis.traffic.proposal import learned_url
from thingstead.clock import Clock
from thingstead.controller.conductor import Conductor
from thingstead.controller.standing import GONE
from thingstead.crypto.digest import digest
from thingstead.domain.ledger.entry import Detail
from thingstead.domain.lifecycle import Cause, LifecycleState, Restriction
from thingstead.domain.network import ThingAddress
from thingstead.domain.plane import OBLIGATIONS, Demand, Plane, PlaneName
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.errors import ConfigError, PolicyError, TransitionError
from thingstead.identifier import ThingId, thing_id_from_random
from thingstead.planes.network.mud_library import is_owners
from thingstead.protocols.mud.file import Prefix
from thingstead.protocols.mud.parser import parse

__all__ = ["ADOPTED", "Brownfield", "Find", "Ground", "adopted_and_present", "is_adopted", "own_url"]

ADOPTED = "(adopted)"
"""As its maker: no maker calls itself so, and no release is ever for it."""

_LONGEST = 128
_MOST_ADDRESSES = 8
"""One of IPv4, and those that an interface gives itself for IPv6 (RFC 8981 §3.8)."""

_OTHER_CLASS = 3
_OUTSIDE = frozenset({LifecycleState.INSTALLED, LifecycleState.BOOTSTRAPPING, LifecycleState.RE_BOOTSTRAPPING})
"""After a restore it has to come in again, for which it has no other way than this."""


@dataclass(frozen=True, slots=True)
class Find:
    """A device as somebody saw it.

    Attributes:
        mac: six octets; its serial number here.
        ips: all of its addresses.
        model: what the owner calls its type; empty for what it was called before.
        zone: where the owner put it; empty for where it was.
        document: a MUD file in JSON, whose URL is `learned_url` of the device; empty for the one it has.
    """

    mac: bytes
    ips: tuple[IPv4Address | IPv6Address, ...]
    model: str
    zone: str
    document: bytes


@dataclass(frozen=True, slots=True)
class Ground:
    """Where devices may be: a slip of the hand must not put the site's own router under the rules of a lamp.

    Attributes:
        local: prefixes of the site; none where nobody says.
        own: packed addresses of this machine.
        apart: link-layer addresses of this machine, and of the site's routers and servers.
    """

    local: tuple[Prefix, ...] = ()
    own: frozenset[bytes] = frozenset()
    apart: frozenset[bytes] = frozenset()

    def require(self, find: Find) -> None:
        """See whether a device can be there.

        Raises:
            ConfigError: it cannot.
        """
        if find.mac in self.apart:
            raise ConfigError(f"{find.mac.hex(':')} is this machine, or of [watch] gateways: no device to be held")
        for ip in find.ips:
            homes = [one for one in self.local if ip in one]
            if ip.packed in self.own or any(ip in _ends(one) for one in homes):
                raise ConfigError(f"{ip} is this machine's, or everybody's")
            if self.local and not homes and not ip.is_link_local:
                raise ConfigError(f"{ip} is not within the site, as [network] local says")


def _ends(prefix: Prefix) -> tuple[IPv4Address | IPv6Address, ...]:
    """Addresses that are no machine's: of the network itself, and of all in it."""
    is_two = prefix.num_addresses <= 2
    return () if is_two or prefix.version == 6 else (prefix.network_address, prefix.broadcast_address)


class Brownfield:
    """Takes devices in, and gives them other files.

    Args:
        conductor: runs transitions.
        register: the things.
        vouch: keeps a MUD file of the owner's, and puts it in force.
        place: keeps where a thing is; without addresses, that it is nowhere.
        network: puts that in force.
        located: where each thing is.
        ground: where devices may be.
        clock: for UTC.
        random_bytes: for ids.
    """

    def __init__(
        self,
        conductor: Conductor,
        register: Register,
        *,
        vouch: Callable[[bytes], Awaitable[None]],
        place: Callable[[ThingId, tuple[str, ...], bytes], Awaitable[None]],
        network: Plane,
        located: Callable[[], Mapping[ThingId, tuple[ThingAddress, ...]]],
        ground: Ground,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._conductor = conductor
        self._ground = ground
        self._register = register
        self._vouch = vouch
        self._place = place
        self._network = network
        self._located = located
        self._clock = clock
        self._random_bytes = random_bytes

    async def adopt(self, find: Find, *, by: str) -> Thing:
        """Take a device in; one that is in gets the other file and place, and stays what it is.

        One that left comes back as another thing: what was retired stays so, and lets go of the place it had.

        Raises:
            ConfigError: no address of one device, or a word that is none.
            ProtocolError: not a MUD file.
            PolicyError: another device's file, interface or address.
            TransitionError: the device is restricted.
            StorageError: it could not be kept.
        """
        _check(find)
        self._ground.require(find)
        known = [one for one in self._register.things() if one.maker == ADOPTED and one.serial == find.mac.hex(":")]
        thing = next(filter(is_adopted, known), None)
        _require_said(find, thing)
        self._require_free(find, thing)
        if find.document:
            await self._vouch(find.document)
        for one in known:
            if one is not thing:
                await self._place(one.id, (), find.mac)
                await self._network.withdraw(one, cause="adopted-again", transition_id=one.transition_id)
        if thing is None:
            thing = self._thing(find, learned_url(find.mac))
            await self._conductor.register(thing, actor=by, evidence=_evidence(find))
        await self._place(thing.id, tuple(map(str, find.ips)), find.mac)
        changes = {"model": find.model or thing.model, "zone": find.zone or thing.zone}
        if thing.state in _OUTSIDE:
            return await self._let_in(thing, changes, by=by)
        thing = await self._conductor.amend(thing.id, actor=by, cause="profile", changes=changes)
        if OBLIGATIONS[thing.state, thing.restriction][PlaneName.NETWORK] is Demand.ADMIT:
            await self._network.admit(thing, cause="profile", transition_id=thing.transition_id)
        return thing

    async def _let_in(self, thing: Thing, changes: Mapping[str, Any], *, by: str) -> Thing:
        if thing.state is LifecycleState.INSTALLED:
            await self._conductor.transition(thing.id, Cause.JOIN_STARTED, actor=by)
        report = await self._conductor.transition(
            thing.id,
            Cause.JOINED,
            actor=by,
            evidence={"rule": "adopted by hand", "speaks": "nothing of ours"},
            changes={"joined_at": self._clock.utc(), **changes},
        )
        return report.thing

    def _require_free(self, find: Find, thing: Thing | None) -> None:
        """What proves who it is must not be joined at its place by something that proves nothing (R-34).

        Of two at one IP address the later has it: the other's rules would end.
        """
        for holder, places in self._located().items():
            if (thing is not None and holder == thing.id) or self._register.thing(holder).state in GONE:
                continue
            for place in places:
                if place.mac == find.mac:
                    raise PolicyError(f"{holder} has that interface; its file: `thingstead thing mud`", reason="taken")
                if place.ip in find.ips:
                    raise PolicyError(f"{holder} is at {place.ip}: the device needs one of its own", reason="taken")

    def _thing(self, find: Find, url: str) -> Thing:
        return Thing(
            id=thing_id_from_random(self._random_bytes(10)),
            version=1,
            state=LifecycleState.INSTALLED,
            restriction=Restriction.NONE,
            maker=ADOPTED,
            model=find.model,
            serial=find.mac.hex(":"),
            device_class=_OTHER_CLASS,
            mud_url=url,
            zone=find.zone,
        )


def is_adopted(thing: Thing) -> bool:
    """Whether it is a device that was taken in like this, and has not left."""
    return thing.maker == ADOPTED and thing.state not in GONE


def own_url(thing: Thing) -> str:
    """Of the file that the owner vouches for, for one thing alone: the one it has, or that of its id."""
    return thing.mud_url if is_owners(thing.mud_url) else f"https://{thing.id}.invalid/learned.json"


def adopted_and_present(
    register: Register, located: Mapping[ThingId, tuple[ThingAddress, ...]], neighbours: Iterable[ThingAddress]
) -> frozenset[ThingId]:
    """Devices that were taken in like this, and whose interface is on the segment now."""
    macs = {one.mac for one in neighbours}
    here = [thing for thing, places in located.items() if macs & {one.mac for one in places}]
    return frozenset([thing for thing in here if is_adopted(register.thing(thing))])


def _check(find: Find) -> None:
    if len(find.mac) != 6 or find.mac[0] & 1 or not any(find.mac):
        raise ConfigError(f"expected the MAC address of one device, got {find.mac.hex(':')}")
    if not 0 < len(find.ips) <= _MOST_ADDRESSES:
        raise ConfigError(f"expected 1 to {_MOST_ADDRESSES} addresses of one device, got {len(find.ips)}")
    for ip in find.ips:
        if ip.is_multicast or ip.is_unspecified or ip.is_loopback:
            raise ConfigError(f"expected the address of one device, got {ip}")
    for what, word in (("model", find.model), ("zone", find.zone)):
        if len(word) > _LONGEST or not word.isprintable():
            raise ConfigError(f"expected a {what} of up to {_LONGEST} characters that can be printed")


def _require_said(find: Find, thing: Thing | None) -> None:
    """All of a device that is new; of one that is in, its own file, and nothing while it is held against it."""
    if thing is None and not (find.model and find.document):
        raise ConfigError("expected the model and the MUD file of a device that is new here")
    url = learned_url(find.mac)
    if find.document and parse(find.document).url != url:
        raise PolicyError(f"expected a MUD file of {url}, which is this device's and nobody else's", reason="url")
    if thing is not None and thing.restriction is not Restriction.NONE:
        raise TransitionError(f"{thing.id} is {thing.restriction}: `thingstead thing restore {thing.id}` first")


def _evidence(find: Find) -> dict[str, Detail]:
    """The ledger keeps which file it was, and neither the device's address nor where it is."""
    return {"maker": ADOPTED, "model": find.model, "file": digest(find.document)}
