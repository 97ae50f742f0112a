"""The network plane as a process of its own: what it is asked there, and who asks here (ADR 0027).

MUD files and their signatures are read, names looked up and rules made there; the enforcer obeys that process alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address

from thingstead.analysis.reach import Neighbourhood
from thingstead.analysis.traffic.flow import Flow
from thingstead.controller.remote_plane import RemotePlane
from thingstead.controller.whereabouts import Whereabouts
from thingstead.domain import anchor as anchor_file
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.name import NameAnswer, NameStanding
from thingstead.domain.network import Drop, ThingAddress
from thingstead.domain.owner_rule import OwnerRule
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Store
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.errors import StateError
from thingstead.identifier import ThingId
from thingstead.planes.network.alarm import Alarm
from thingstead.planes.network.mud_manager import MudManager
from thingstead.planes.network.rule_book import Reason
from thingstead.transport.engine_socket import EngineSocket

__all__ = ["NETWORK_CALLS", "NetworkEngine", "RemoteNetwork"]

NETWORK_CALLS = (
    "mode", "trust", "note", "place", "places", "refresh", "watch", "file", "expect", "release", "learn", "names",
    "vouch", "owner_rules", "put_rule", "remove_rule", "explain", "drops", "located", "reach", "obtain",
)  # fmt: skip
"""What the network plane is asked beside what each is."""


class NetworkEngine:
    """The MUD manager and where things are, in one process.

    Args:
        make: puts the manager together, from whoever knows the makers that are trusted now.
        whereabouts: where things are.
    """

    def __init__(
        self, make: Callable[[Callable[[], tuple[TrustAnchor, ...]]], MudManager], whereabouts: Whereabouts
    ) -> None:
        self._make = make
        self._whereabouts = whereabouts
        self._anchors: tuple[TrustAnchor, ...] = ()
        self._made: MudManager | None = None

    async def begin(self, anchors: tuple[bytes, ...], things: tuple[Thing, ...]) -> None:
        """Put in force what the state of each thing asks for."""
        self.trust(anchors)
        if self._made is None:
            # Only now: files that are kept are verified again, under the makers that are trusted.
            self._made = self._make(lambda: self._anchors)
        await self._made.resume(things)

    def trust(self, anchors: tuple[bytes, ...]) -> None:
        """Go by these makers from now on."""
        self._anchors = tuple([anchor_file.decode(one) for one in anchors])

    def mode(self) -> str:
        """Who keeps the rules."""
        return self.plane.mode

    async def note(self, thing: ThingId, ip: str, mac: bytes = b"") -> None:
        """Keep where a thing is."""
        await self._whereabouts.note(thing, ip, mac)

    async def place(self, thing: ThingId, ips: tuple[str, ...], mac: bytes) -> None:
        """Keep where a thing is by its owner's word."""
        await self._whereabouts.place(thing, ips, mac)

    def places(self) -> tuple[tuple[bytes, bytes], ...]:
        """Where things are."""
        return tuple([(one.mac, one.ip.packed) for one in self._whereabouts.places()])

    def located(self) -> tuple[tuple[ThingId, bytes, bytes], ...]:
        """Where each thing is, an address a row."""
        places = self._whereabouts.located()
        return tuple([(thing, one.mac, one.ip.packed) for thing, some in places.items() for one in some])

    def file(self, url: str) -> bytes | None:
        """A MUD file as last admitted."""
        return self.plane.file(url)

    async def obtain(self, url: str) -> bytes:
        """Have a file here that no thing goes by yet."""
        return await self.plane.obtain(url)

    async def expect(self, document: bytes) -> None:
        """Look up the names of a release's file."""
        await self.plane.expect(document)

    async def vouch(self, document: bytes) -> None:
        """Keep a file of the owner's, and put it in force."""
        await self.plane.vouch(document)

    async def release(self, thing: ThingId, document: bytes) -> bool:
        """Have a thing go by the file of the release that it runs."""
        return await self.plane.release(thing, document)

    async def learn(self, answer: NameAnswer) -> None:
        """Take up what a thing is about to be told."""
        await self.plane.learn(answer)

    def names(self) -> tuple[NameStanding, ...]:
        """The names of all files in force, as they stand."""
        return self.plane.names()

    async def owner_rules(self) -> tuple[OwnerRule, ...]:
        """The owner's own rules."""
        return await self.plane.owner_rules()

    async def put_rule(self, rule: OwnerRule, by: str) -> tuple[ThingId, ...]:
        """Keep a rule of the owner's, and put it in force."""
        return await self.plane.put_rule(rule, by)

    async def remove_rule(self, identifier: str, by: str) -> OwnerRule:
        """Forget a rule of the owner's."""
        return await self.plane.remove_rule(identifier, by)

    async def explain(self, thing: ThingId, flows: tuple[Flow, ...]) -> tuple[Reason, ...]:
        """By whose word conversations are allowed."""
        return await self.plane.explain(thing, flows)

    async def reach(self) -> Neighbourhood:
        """What the rules in force open."""
        return await self.plane.reach()

    async def drops(self) -> tuple[Drop, ...]:
        """What was dropped since this was last asked."""
        return await self.plane.drops()

    async def refresh(self) -> str:
        """Renew files and names that are due; who keeps the rules."""
        await self.plane.refresh()
        return self.plane.mode

    async def watch(self) -> tuple[Alarm, ...]:
        """Look at the counters, and tell what no rule allows."""
        return await self.plane.watch()

    @property
    def plane(self) -> MudManager:
        """The manager."""
        if self._made is None:
            raise StateError("the network plane was not begun")
        return self._made


class RemoteNetwork(RemotePlane):
    """The network plane, asked from the controller's process.

    Args:
        engine: where it is.
        store: with the ledger.
        register: the things.
        anchors: the makers trusted now.
    """

    def __init__(
        self, engine: EngineSocket, *, store: Store, register: Register, anchors: Callable[[], tuple[TrustAnchor, ...]]
    ) -> None:
        super().__init__(PlaneName.NETWORK, engine, store=store, standing=self._standing)
        self._register = register
        self._anchors = anchors
        self._told = anchors()
        self._mode = "nobody yet"

    @property
    def mode(self) -> str:
        """Who keeps the rules, when it was last asked."""
        return self._mode

    async def resume(self, _things: Iterable[Thing]) -> None:
        """It was told at the beginning, and has put in force what the state of each thing asks for."""
        self._mode = await self.ask(str, "mode")

    async def note(self, thing: ThingId, ip: str, mac: bytes = b"") -> None:
        """Keep where a thing is; on disk when this returns."""
        await self.ask(None, "note", thing, ip, mac)

    async def place(self, thing: ThingId, ips: tuple[str, ...], mac: bytes) -> None:
        """Keep where a thing is by its owner's word; on disk when this returns."""
        await self.ask(None, "place", thing, ips, mac)

    def places(self) -> tuple[ThingAddress, ...]:
        """Where all things are of which it is known."""
        found = self.ask_now(tuple[tuple[bytes, bytes], ...], "places")
        return tuple([ThingAddress(mac, ip_address(packed)) for mac, packed in found])

    def located(self) -> dict[ThingId, tuple[ThingAddress, ...]]:
        """Where each thing is of which it is known."""
        located: dict[ThingId, tuple[ThingAddress, ...]] = {}
        for thing, mac, packed in self.ask_now(tuple[tuple[ThingId, bytes, bytes], ...], "located"):
            located[thing] = (*located.get(thing, ()), ThingAddress(mac, ip_address(packed)))
        return located

    def file(self, url: str) -> bytes | None:
        """A MUD file as last admitted."""
        found: bytes | None = self.ask_now(bytes | None, "file", url)
        return found

    async def obtain(self, url: str) -> bytes:
        """As the manager does; errors as there."""
        found: bytes = await self.ask(bytes, "obtain", url)
        return found

    async def expect(self, document: bytes) -> None:
        """As the manager does; errors as there."""
        await self.ask(None, "expect", document)

    async def vouch(self, document: bytes) -> None:
        """As the manager does; errors as there."""
        await self.ask(None, "vouch", document)

    async def release(self, thing: ThingId, document: bytes) -> bool:
        """As the manager does; errors as there."""
        is_here: bool = await self.ask(bool, "release", thing, document)
        return is_here

    async def learn(self, answer: NameAnswer) -> None:
        """As the manager does; errors as there."""
        await self.ask(None, "learn", answer)

    def names(self) -> tuple[NameStanding, ...]:
        """As the manager does."""
        found: tuple[NameStanding, ...] = self.ask_now(tuple[NameStanding, ...], "names")
        return found

    async def owner_rules(self) -> tuple[OwnerRule, ...]:
        """As the manager does."""
        found: tuple[OwnerRule, ...] = await self.ask(tuple[OwnerRule, ...], "owner_rules")
        return found

    async def put_rule(self, rule: OwnerRule, by: str) -> tuple[ThingId, ...]:
        """As the manager does; errors as there."""
        concerned: tuple[ThingId, ...] = await self.ask(tuple[ThingId, ...], "put_rule", rule, by)
        return concerned

    async def remove_rule(self, identifier: str, by: str) -> OwnerRule:
        """As the manager does; errors as there."""
        rule: OwnerRule = await self.ask(OwnerRule, "remove_rule", identifier, by)
        return rule

    async def explain(self, thing: ThingId, flows: tuple[Flow, ...]) -> tuple[Reason, ...]:
        """As the manager does."""
        reasons: tuple[Reason, ...] = await self.ask(tuple[Reason, ...], "explain", thing, flows)
        return reasons

    async def reach(self) -> Neighbourhood:
        """As the manager does."""
        found: Neighbourhood = await self.ask(Neighbourhood, "reach")
        return found

    async def drops(self) -> tuple[Drop, ...]:
        """As the manager does; errors as there."""
        found: tuple[Drop, ...] = await self.ask(tuple[Drop, ...], "drops")
        return found

    async def refresh(self) -> None:
        """Tell of makers that are trusted now, and have renewed what is due."""
        anchors = self._anchors()
        if anchors != self._told:
            await self.ask(None, "trust", [anchor_file.encode(one) for one in anchors])
            self._told = anchors
        self._mode = await self.ask(str, "refresh")

    async def watch(self) -> tuple[Alarm, ...]:
        """Have the counters looked at; tells what no rule allows."""
        found: tuple[Alarm, ...] = await self.ask(tuple[Alarm, ...], "watch")
        return found

    def _standing(self) -> tuple[object, ...]:
        return [anchor_file.encode(one) for one in self._anchors()], tuple(self._register.things())
