"""Every campaign of the domain, decided where things ask, and kept by the controller wherever the plane's engine is.

A poll is decided in memory. Where a plan bounds who may have a release, the place that a thing takes is on disk before
the answer leaves (`keep`), together with the places of all who ask at the same time: a controller that is killed knows
in its next life everybody who may have got it, and gives no place twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from thingstead.clock import Clock
from thingstead.crypto.digest import digest
from thingstead.domain.campaign import Campaign, Header, Standing, Status, Verdict, Zones
from thingstead.domain.campaign_plan import EVERYONE, STAGED, Dependency, Plan
from thingstead.domain.plane import Expiry, Finding, PlaneName
from thingstead.domain.ports import Records
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId
from thingstead.planes.software.campaign_findings import findings
from thingstead.planes.software.campaign_record import Subject
from thingstead.planes.software.campaign_store import CampaignStore, Live
from thingstead.planes.software.offer import Offer
from thingstead.planes.software.release import Line
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.protocols.suit.registry import Reason

__all__ = ["DOCUMENTS", "Campaigns", "Seat"]

DOCUMENTS = "@campaign/"
"""What their keys begin with among the plane's; they stay with the controller, wherever the plane's engine is."""

_FEW = 50
"""Up to so many things all get a release at once where nobody planned anything else."""


@dataclass(frozen=True, slots=True)
class Seat:
    """What a campaign has to know of a thing.

    Attributes:
        line: the releases that are for it; None where nobody who is trusted signs any.
        model: the maker's word for its type.
        zone: where it is.
        serial: the maker's number of it.
    """

    line: Line | None
    model: str = ""
    zone: str = ""
    serial: str = ""


class Campaigns:
    """All of them; the newest release of each line has one under way.

    Args:
        records: their documents.
        clock: for UTC.

    Attributes:
        default: what the owner's policy says of releases that come without a plan; None where it says nothing.
    """

    def __init__(self, records: Records, *, clock: Clock) -> None:
        self._clock = clock
        self.default: Plan | None = None
        self._zones = Zones()
        self._seats: dict[ThingId, Seat] = {}
        self._runs: dict[ThingId, SoftwareRecord] = {}
        self._live: dict[Line, Live] = {}
        self._past: dict[bytes, tuple[Subject, Header]] = {}
        self._aborted: set[bytes] = set()
        self._behind: dict[tuple[str, int], dict[str | None, set[ThingId]]] = {}
        self._store = CampaignStore(records, self._live.values)
        self._load()

    # --- who is there, and what each runs

    def admit(self, thing: ThingId, seat: Seat) -> None:
        """A thing is there from now on."""
        if self._seats.get(thing) == seat:
            return
        self.drop(thing)
        self._seats[thing] = seat
        self._zones.things[seat.zone] += 1
        self._compare(thing)
        live = self._of(thing)
        if live is not None:
            self._place(live, thing, seat)

    def drop(self, thing: ThingId) -> None:
        """It is not there any more; the place that it was given stays its own, for it may come back."""
        live, seat = self._of(thing), self._seats.pop(thing, None)
        if seat is None:
            return
        self._zones.things[seat.zone] -= 1
        for zones in self._behind.values():
            zones.get(seat.zone, set()).discard(thing)
            zones[None].discard(thing)
        if live is not None:
            offered_at = live.campaign.offered_at(thing)
            if offered_at is not None:
                live.away[thing] = offered_at
            live.campaign.drop(thing)

    def record(self, thing: ThingId, record: SoftwareRecord | None) -> None:
        """What a thing says it runs; None where nobody is to know anything of it any more."""
        if record is None:
            self._runs.pop(thing, None)
            self._store.forget(thing)
            return
        self._runs[thing] = record
        self._compare(thing)
        live = self._of(thing)
        if live is None:
            return
        before, after = live.campaign.standing(thing), _standing(record, live.subject)
        if after is not Standing.WAITING:
            live.campaign.settle(thing, after, self._clock.utc())
        elif before in {Standing.INSTALLED, Standing.FAILED}:
            live.campaign.settle(thing, Standing.OFFERED, self._clock.utc())

    # --- what there is to bring

    async def intend(self, encoded: bytes, plan: Plan | None) -> None:
        """Keep how a release is to be brought, before it is published: a crash in between forgets no plan.

        Raises:
            ConfigError: the plan waits for a release that is not known here.
            StorageError: it could not be kept.
        """
        chosen = plan or self.default
        await self._store.intend(_name(encoded), None if chosen is None else self.resolved(chosen))

    async def give_up(self, encoded: bytes) -> None:
        """The release was not published after all."""
        await self._store.give_up(_name(encoded))

    async def withdraw(self, envelope: bytes) -> None:
        """A release that waited was taken back; it is named by SHA-256 of its envelope."""
        if self._store.is_intended(envelope.hex()):
            await self._store.give_up(envelope.hex())

    def offer(self, offers: Mapping[Line, Offer]) -> None:
        """These are the newest of their lines; for one that was not before, a campaign begins."""
        for line, offer in offers.items():
            live = self._live.get(line)
            if live is None or live.subject.manifest_digest != offer.manifest_digest:
                self._begin(line, offer)

    # --- what things ask

    def ask(self, thing: ThingId, offer: Offer) -> Verdict:
        """What a thing gets that asks for its release; one that gets it has a place from then on."""
        live = self._of(thing)
        if live is None or live.subject.manifest_digest != offer.manifest_digest:
            return Verdict.ENDED
        return live.campaign.ask(thing, self._clock.utc())

    def is_kept(self, thing: ThingId) -> bool:
        """Whether the place of a thing is on disk, or need not be before the thing hears of it."""
        live = self._of(thing)
        return live is None or not live.is_bounded or thing not in live.campaign.unkept

    def is_aborted(self, manifest_digest: bytes) -> bool:
        """Whether nobody is to install a release any more, not even who has its envelope."""
        return manifest_digest in self._aborted or any(
            live.campaign.header.status is Status.ABORTED and live.subject.manifest_digest == manifest_digest
            for live in self._live.values()
        )

    # --- what people ask

    def under_way(self) -> Iterator[Live]:
        """The newest of each line, wherever it stands."""
        return iter(self._live.values())

    def find(self, name: str) -> Live:
        """One of them by model and number, as in ``LX-1/7``, or by its model alone.

        Raises:
            ConfigError: there is none, or several.
        """
        found = [live for live in self._live.values() if name in {live.subject.name, live.subject.model}]
        if len(found) != 1:
            known = ", ".join(sorted(live.subject.name for live in self._live.values())) or "none"
            raise ConfigError(f"expected one of the campaigns under way, not {name!r}: {known}")
        return found[0]

    @property
    def past(self) -> tuple[tuple[Subject, Header], ...]:
        """What was superseded."""
        return tuple(self._past.values())

    def usual(self, things: int) -> Plan:
        """How a release is brought to so many things where nobody says how."""
        return self.default or (EVERYONE if things <= _FEW else STAGED)

    def resolved(self, plan: Plan) -> Plan:
        """A plan that names by their numbers the releases that it waits for.

        Raises:
            ConfigError: one of them is not known here.
        """
        return replace(plan, after=tuple([self._known(dependency) for dependency in plan.after]))

    def replan(self, live: Live, plan: Plan) -> None:
        """Go on with a campaign by another plan.

        Raises:
            ConfigError: it waits for a release that is not known here.
            StateError: the campaign is done or has ended.
        """
        chosen = self.resolved(plan)
        live.campaign.replan(chosen, self._clock.utc())
        self._watch(chosen)

    def seats(self, model: str) -> Iterator[tuple[ThingId, Seat]]:
        """The things of a model."""
        return ((thing, seat) for thing, seat in self._seats.items() if seat.model == model)

    def behind(self, dependency: Dependency, zone: str) -> frozenset[ThingId]:
        """Who keeps things of a zone waiting."""
        zones = self._behind.get((dependency.model, dependency.sequence_number), {})
        return frozenset(zones.get(zone if dependency.same_zone else None, ()))

    # --- what lasts

    async def look(self) -> None:
        """Let time do its work, and keep what changed; errors as for `keep`."""
        for live in self._live.values():
            live.campaign.tick(self._clock.utc())
        await self.keep()

    async def keep(self) -> None:
        """Have everything on disk that changed until now.

        Raises:
            StorageError: nothing of it was kept; the next call tries it again.
        """
        await self._store.keep()

    def expiries(self) -> Sequence[Expiry]:
        """The deadline of each that has one, and who is not there yet."""
        return [
            Expiry(
                f"campaign {live.subject.name}",
                header.begun_at + header.plan.deadline,
                tuple([thing for thing, _ in live.campaign.things(Standing.WAITING, Standing.SILENT)]),
                PlaneName.SOFTWARE,
            )
            for live in self._live.values()
            if (header := live.campaign.header).plan.deadline is not None and header.status is Status.RUNNING
        ]

    def findings(self, question: str) -> Sequence[Finding]:
        """What campaigns show."""
        return findings(question, self._live.values(), len(self._past))

    def snapshot(self) -> Mapping[str, bytes]:
        """All of it, for a backup."""
        return {DOCUMENTS + key: document for key, document in self._store.documents.items()}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up what was kept; what was under way by a plan waits for a person, who may have ended it since.

        Raises:
            DecodeError: no campaigns of ours.
            StorageError: they could not be kept.
        """
        own = {key.removeprefix(DOCUMENTS): one for key, one in documents.items() if key.startswith(DOCUMENTS)}
        await self._store.restore(own)
        self._load()
        at = self._clock.utc()
        for live in self._live.values():
            if live.is_bounded and live.campaign.header.is_open:
                live.campaign.change(Status.PAUSED, at, cause="restored")
        await self.keep()

    # --- within

    def _load(self) -> None:
        for subject, header in self._store.headers():
            if header.status is Status.SUPERSEDED:
                self._past[subject.manifest_digest] = (subject, header)
            elif subject.line not in self._live:
                campaign = Campaign(header, self._zones, self._is_behind)
                self._live[subject.line] = self._store.take_up(subject, campaign)
                self._watch(header.plan)

    def _begin(self, line: Line, offer: Offer) -> None:
        at, name = self._clock.utc(), _name(offer.encoded)
        if line in self._live:
            self._supersede(self._live.pop(line), at)
        seats = {thing: seat for thing, seat in self._seats.items() if seat.line == line}
        header, is_news = self._header(name, len(seats), at), self._store.is_intended(name)
        campaign = Campaign(header, self._zones, self._is_behind, changes=[header])
        image = digest(offer.image)
        subject = Subject(line, offer.model, offer.version, offer.sequence_number, offer.manifest_digest, image)
        live = self._live[line] = Live(subject, campaign, is_news=is_news)
        self._store.begun(name)
        self._watch(header.plan)
        for thing, seat in seats.items():
            self._place(live, thing, seat)

    def _header(self, name: str, things: int, at: datetime) -> Header:
        """How a campaign begins; of a release from before there were campaigns as it began then."""
        if not self._store.is_intended(name):
            return Header(EVERYONE, at, since=at)
        try:
            return Header(self._store.plan_of(name) or self.usual(things), at, since=at)
        except ConfigError:
            return Header(EVERYONE, at, Status.PAUSED, "time-zone", since=at)

    def _supersede(self, live: Live, at: datetime) -> None:
        campaign = live.campaign
        if campaign.header.status is Status.ABORTED:
            # Who has its envelope still asks for its image; a start anew forgets who has.
            self._aborted.add(live.subject.manifest_digest)
        subject = replace(live.subject, outcome=campaign.counts)
        header = replace(campaign.header, status=Status.SUPERSEDED, cause="superseded", since=at)
        self._store.end(live, header, subject)
        self._past[subject.manifest_digest] = (subject, header)
        for thing, _ in tuple(campaign.things()):
            campaign.drop(thing)

    def _place(self, live: Live, thing: ThingId, seat: Seat) -> None:
        live.campaign.place(
            thing,
            zone=seat.zone,
            serial=seat.serial,
            standing=_standing(self._runs.get(thing, SoftwareRecord()), live.subject),
            offered_at=live.away.pop(thing, None),
        )

    def _of(self, thing: ThingId) -> Live | None:
        seat = self._seats.get(thing)
        return None if seat is None or seat.line is None else self._live.get(seat.line)

    def _known(self, dependency: Dependency) -> Dependency:
        subjects = [*[live.subject for live in self._live.values()], *[subject for subject, _ in self._past.values()]]
        for subject in subjects:
            if subject.model == dependency.model and (
                subject.version == dependency.version or subject.sequence_number == dependency.sequence_number
            ):
                return replace(dependency, sequence_number=subject.sequence_number, version=subject.version)
        wanted = dependency.version or dependency.sequence_number
        raise ConfigError(f"the plan waits for {wanted} of {dependency.model}, which was never published here")

    def _watch(self, plan: Plan) -> None:
        """Know from now on who keeps others waiting."""
        for dependency in plan.after:
            if (dependency.model, dependency.sequence_number) not in self._behind:
                self._behind[dependency.model, dependency.sequence_number] = {None: set()}
                for thing in self._seats:
                    self._compare(thing)

    def _compare(self, thing: ThingId) -> None:
        seat = self._seats.get(thing)
        for (model, number), zones in self._behind.items():
            if seat is None or seat.model != model:
                continue
            is_behind = self._runs.get(thing, SoftwareRecord()).sequence_number < number
            for one in (zones[None], zones.setdefault(seat.zone, set())):
                (one.add if is_behind else one.discard)(thing)

    def _is_behind(self, dependency: Dependency, zone: str) -> bool:
        zones = self._behind[dependency.model, dependency.sequence_number]
        return bool(zones.get(zone if dependency.same_zone else None))


def _name(encoded: bytes) -> str:
    """Names a release of which nothing is known but its bytes."""
    return digest(encoded).hex()


def _standing(record: SoftwareRecord, subject: Subject) -> Standing:
    """What a thing's reports make of it; what failed on the way to it, or on its disk, is tried again."""
    name = subject.manifest_digest
    if record.manifest_digest == name or record.sequence_number >= subject.sequence_number:
        return Standing.INSTALLED
    if any(digest == name and reason is not Reason.OPERATION_FAILED for digest, reason in record.refusals):
        return Standing.FAILED
    return Standing.WAITING
