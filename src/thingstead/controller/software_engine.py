"""The software plane as a process of its own: envelopes and reports are read there, offers handed out here (ADR 0027).

A release comes over once, when it is published. Things verify it themselves: who alters it on its way gains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.remote_plane import RemotePlane
from thingstead.domain import anchor as anchor_file
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.plane import OBLIGATIONS, Demand, Expiry, Finding, PlaneName, Probe, Receipt
from thingstead.domain.ports import Store
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.errors import StateError
from thingstead.identifier import ThingId, TransitionId
from thingstead.planes.software.campaign import Campaign, Progress
from thingstead.planes.software.campaigns import Campaigns, Seat
from thingstead.planes.software.carried import NOTHING, Bundle, Carried, Held, Terms
from thingstead.planes.software.offer import Offer
from thingstead.planes.software.reference import Reference
from thingstead.planes.software.release import Line
from thingstead.planes.software.shelf import Shelf
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.planes.software.source import Sort, sort_of
from thingstead.planes.software.status_tracker import StatusTracker
from thingstead.planes.software.vulnerability_shelf import Exposure
from thingstead.transport.engine_socket import EngineSocket, typed

__all__ = ["SOFTWARE_CALLS", "RemoteTracker", "SoftwareEngine", "ToldShelf"]

SOFTWARE_CALLS = (
    *("trust", "publish", "campaigns", "references", "targets", "report"),
    *("held", "approve", "discard", "carried", "result", "envelopes", "take_records", "exposures"),
)
"""What the software plane is asked beside what each is."""

_Rows = tuple[tuple[bytes, tuple[ThingId, ...], tuple[ThingId, ...]], ...]
_Offers = tuple[tuple[Line, Offer], ...]
_Envelopes = tuple[tuple[Line, int, bytes], ...]


class ToldShelf(Shelf):
    """A shelf where the engine is, and what it has for the one where things ask."""

    def __init__(self, clock: Clock, tell: Callable[..., None]) -> None:
        super().__init__(clock)
        self._tell = tell

    def admit(self, thing: ThingId, seat: Seat) -> None:
        """Here and there."""
        super().admit(thing, seat)
        self._tell("admit", thing, seat)

    def drop(self, thing: ThingId) -> None:
        """Here and there."""
        super().drop(thing)
        self._tell("drop", thing)

    def offer(self, offers: Mapping[Line, Offer]) -> None:
        """Here and there."""
        super().offer(offers)
        self._tell("offer", tuple(offers.items()))

    def take_back(self) -> None:
        """Here and there."""
        super().take_back()
        self._tell("take_back")

    def record(self, thing: ThingId, record: SoftwareRecord | None) -> None:
        """Here and there."""
        super().record(thing, record)
        self._tell("record", thing, record)


class SoftwareEngine:
    """The status tracker, in the process that reads what makers and things send.

    Args:
        make: puts the tracker together, of the makers that are trusted and the sorts of things that are known.
    """

    def __init__(self, make: Callable[[tuple[TrustAnchor, ...], Callable[[], Iterable[Sort]]], StatusTracker]) -> None:
        self._make = make
        self._sorts: frozenset[Sort] = frozenset()
        self._made: StatusTracker | None = None

    @property
    def plane(self) -> StatusTracker:
        """The tracker."""
        if self._made is None:
            raise StateError("the software plane was not begun")
        return self._made

    async def begin(self, anchors: tuple[bytes, ...], sorts: frozenset[Sort], things: tuple[Thing, ...]) -> None:
        """Offer what verifies under these makers' keys to those whose state says so."""
        self._sorts = sorts
        if self._made is None:
            self._made = self._make(_decoded(anchors), lambda: self._sorts)
        self.plane.resume(iter(things))

    def trust(self, anchors: tuple[bytes, ...]) -> None:
        """Go by these makers from now on."""
        self.plane.trust(_decoded(anchors))

    async def publish(
        self, encoded: bytes, image: bytes, terms: Terms, bundle: Bundle, sorts: frozenset[Sort]
    ) -> Campaign:
        """Verify, rehearse, look through and weigh a release, and offer it."""
        self._sorts = sorts
        return await self.plane.publish(encoded, image, terms=terms, bundle=bundle)

    async def approve(self, manifest: str, terms: Terms) -> Campaign:
        """Publish what waits, as a second person."""
        return await self.plane.approve(manifest, terms=terms)

    async def take_records(self, encoded: tuple[bytes, ...]) -> int:
        """Take up records of known vulnerabilities."""
        return await self.plane.take_records(encoded)

    async def exposures(self) -> tuple[Exposure, ...]:
        """Known vulnerabilities of software that things say they run."""
        return await self.plane.exposures()

    def held(self) -> tuple[Held, ...]:
        """Releases that wait for a second person."""
        return self.plane.publication.held()

    async def discard(self, manifest: str, actor: str) -> Held:
        """Take back what waits."""
        return await self.plane.discard(manifest, actor=actor)

    def carried(self, manifest: str) -> Carried | None:
        """What a published release brought along."""
        return self.plane.carried(manifest)

    def result(self, manifest: str) -> bytes | None:
        """What the checks of a release came to."""
        return self.plane.result(manifest)

    def envelopes(self, vendor_id: bytes) -> _Envelopes:
        """Of each line of a vendor's things the newest two releases."""
        return self.plane.envelopes(vendor_id)

    def campaigns(self, progress: _Rows) -> tuple[Campaign, ...]:
        """How far each release has come, with what was handed out where things ask."""
        return self.plane.campaigns({digest: Progress(set(seen), set(had)) for digest, seen, had in progress})

    def references(self) -> tuple[Reference, ...]:
        """What things measure when they run the releases that were published, oldest first."""
        return self.plane.references()

    def targets(self, model: str) -> tuple[ThingId, ...]:
        """The things of a model that may update now."""
        return tuple(self.plane.targets(model))

    async def report(self, thing: ThingId, encoded: bytes) -> None:
        """Take a SUIT report."""
        await self.plane.report(thing, encoded)


class RemoteTracker(RemotePlane):
    """The software plane, asked from where things poll; fits where a `StatusTracker` does.

    Args:
        engine: where it is.
        store: with the ledger.
        register: the things.
        anchors: the makers trusted now.
        clock: for UTC.
        campaigns: who may have what when.

    Attributes:
        gates: each may keep a thing from getting anything new.
        on_install: told of each thing that says it runs another release.
    """

    def __init__(
        self,
        engine: EngineSocket,
        *,
        store: Store,
        register: Register,
        anchors: Callable[[], tuple[TrustAnchor, ...]],
        clock: Clock,
        campaigns: Campaigns,
    ) -> None:
        super().__init__(PlaneName.SOFTWARE, engine, store=store, standing=self._standing)
        self._register = register
        self._anchors = anchors
        self._campaigns = campaigns
        self._shelf = shelf = Shelf(clock, campaigns)
        self.accepts, self.poll, self.image = shelf.accepts, shelf.poll, shelf.image
        self.is_kept, self.keep, self.cancelled = shelf.is_kept, shelf.keep, shelf.cancelled
        self.gates, self.hold, self.let_go, self.on_offer = shelf.gates, shelf.hold, shelf.let_go, shelf.on_offer
        self.objection = shelf.objection
        self.on_install: list[Callable[[ThingId], None]] = []
        self._since = clock.utc()

    def resume(self, _admitted: Iterator[Thing]) -> None:
        """It was told at the beginning."""

    def trust(self, anchors: Iterable[TrustAnchor]) -> None:
        """Go by these makers' keys from now on; releases under keys of others are offered no more."""
        self.ask_now(None, "trust", [anchor_file.encode(one) for one in anchors])

    async def publish(self, encoded: bytes, image: bytes, *, terms: Terms, bundle: Bundle = NOTHING) -> Campaign:
        """As the tracker does; errors as there."""
        published: Campaign = await self.ask(Campaign, "publish", encoded, image, terms, bundle, self._sorts())
        return published

    async def approve(self, manifest: str, *, terms: Terms) -> Campaign:
        """As the tracker does; errors as there."""
        published: Campaign = await self.ask(Campaign, "approve", manifest, terms)
        return published

    async def discard(self, manifest: str, *, actor: str) -> Held:
        """As the tracker does; errors as there."""
        held: Held = await self.ask(Held, "discard", manifest, actor)
        return held

    async def take_records(self, encoded: Sequence[bytes]) -> int:
        """As the tracker does; errors as there."""
        known: int = await self.ask(int, "take_records", list(encoded))
        return known

    async def exposures(self) -> tuple[Exposure, ...]:
        """Known vulnerabilities of software that things say they run."""
        found: tuple[Exposure, ...] = await self.ask(tuple[Exposure, ...], "exposures")
        return found

    def held(self) -> tuple[Held, ...]:
        """Releases that wait for a second person."""
        found: tuple[Held, ...] = self.ask_now(tuple[Held, ...], "held")
        return found

    def carried(self, manifest: str) -> Carried | None:
        """What a published release brought along, by how its manifest's digest begins."""
        found: Carried | None = self.ask_now(Carried | None, "carried", manifest)
        return found

    def result(self, manifest: str) -> bytes | None:
        """What the checks of a release came to, by how its manifest's digest begins."""
        found: bytes | None = self.ask_now(bytes | None, "result", manifest)
        return found

    def envelopes(self, vendor_id: bytes) -> _Envelopes:
        """Of each line of a vendor's things the newest two releases: line, sequence number, envelope."""
        found: _Envelopes = self.ask_now(_Envelopes, "envelopes", vendor_id)
        return found

    def campaigns(self) -> tuple[Campaign, ...]:
        """Every release that was published, oldest first, and how far it has come."""
        rows = [(name, tuple(one.offered), tuple(one.fetched)) for name, one in self._shelf.progress.items()]
        found: tuple[Campaign, ...] = self.ask_now(tuple[Campaign, ...], "campaigns", rows)
        return found

    def runs(self, thing: ThingId) -> SoftwareRecord:
        """What a thing reported; its sequence number is -1 before its first report."""
        return self._shelf.records.get(thing, SoftwareRecord())

    def references(self) -> tuple[Reference, ...]:
        """What things measure when they run the releases that were published, oldest first."""
        found: tuple[Reference, ...] = self.ask_now(tuple[Reference, ...], "references")
        return found

    def targets(self, model: str) -> Iterator[ThingId]:
        """The things of a model that may update now."""
        return iter(self.ask_now(tuple[ThingId, ...], "targets", model))

    async def report(self, thing: ThingId, encoded: bytes) -> None:
        """Take a SUIT report; what it says is on disk and on the ledger when this returns."""
        self._shelf.require_line(thing)
        await self.ask(None, "report", thing, encoded)
        self._shelf.heard(thing)

    async def probe(self, thing: Thing) -> Probe:
        """Ask, as the update resource does, whether it would answer a poll."""
        return self._shelf.probe(thing.id)

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Answer none here, whatever becomes of it there."""
        self._shelf.drop(thing.id)
        return await super().restrict(thing, cause=cause, transition_id=transition_id)

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Answer none here, whatever becomes of it there."""
        self._shelf.drop(thing.id)
        return await super().withdraw(thing, cause=cause, transition_id=transition_id)

    def expiries(self) -> Sequence[Expiry]:
        """As the engine says, and campaigns."""
        return [*super().expiries(), *self._campaigns.expiries()]

    def findings(self, question: str) -> Sequence[Finding]:
        """As the engine says, and campaigns."""
        return [*super().findings(question), *self._campaigns.findings(question)]

    def snapshot(self) -> Mapping[str, bytes]:
        """As the engine says, and campaigns."""
        return {**super().snapshot(), **self._campaigns.snapshot()}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Campaigns before releases are offered, and then as the engine says."""
        await self._campaigns.restore(documents)
        await super().restore(documents)

    def told(self, name: str, values: Sequence[Any]) -> None:
        """What the shelf there has for the one here."""
        match name, list(values):
            case "admit", [thing, seat]:
                self._shelf.admit(typed(thing, ThingId), typed(seat, Seat))
            case "drop", [thing]:
                self._shelf.drop(typed(thing, ThingId))
            case "offer", [offers]:
                self._shelf.offer(dict(typed(offers, _Offers)))
            case "take_back", []:
                self._shelf.take_back()
            case "record", [thing, record]:
                self._record(typed(thing, ThingId), typed(record, SoftwareRecord | None))
            case _:
                super().told(name, values)

    def _record(self, thing: ThingId, record: SoftwareRecord | None) -> None:
        """Take it up; what was installed before our start was told to listeners then."""
        before = self.runs(thing)
        self._shelf.record(thing, record)
        at = None if record is None else record.installed_at
        if at is not None and at != before.installed_at and at >= self._since:
            for listener in self.on_install:
                listener(thing)

    def _standing(self) -> tuple[object, ...]:
        things = tuple(
            one
            for one in self._register.things()
            if OBLIGATIONS[one.state, one.restriction][PlaneName.SOFTWARE] is Demand.ADMIT
        )
        return [anchor_file.encode(one) for one in self._anchors()], self._sorts(), things

    def _sorts(self) -> frozenset[Sort]:
        return frozenset(sort_of(thing) for thing in self._register.things())


def _decoded(anchors: tuple[bytes, ...]) -> tuple[TrustAnchor, ...]:
    return tuple([anchor_file.decode(one) for one in anchors])
