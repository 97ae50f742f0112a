"""The software plane: the status tracker of RFC 9019 §2.3, which knows what is released and who runs what."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from thingstead.analysis.image_scan import Finding as ImageFinding
from thingstead.analysis.release_check import Objection
from thingstead.clock import Clock
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.crypto_asset import CryptoAsset
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt
from thingstead.domain.ports import Records
from thingstead.domain.release_result import Verdict
from thingstead.domain.thing import Thing
from thingstead.errors import HeldError, StorageError, ThingsteadError, TransportError
from thingstead.identifier import ThingId, TransitionId, thing_id
from thingstead.planes.software import installation, software_record
from thingstead.planes.software.asset import software_assets
from thingstead.planes.software.campaign import Campaign, Progress, campaign
from thingstead.planes.software.campaigns import Seat
from thingstead.planes.software.carried import NOTHING, Bundle, Carried, Held, Terms
from thingstead.planes.software.catalogue import Catalogue, Published
from thingstead.planes.software.examination import IMAGE_SCAN, Examination
from thingstead.planes.software.findings import finding
from thingstead.planes.software.offer import offer_of
from thingstead.planes.software.part import Check, Part
from thingstead.planes.software.publication import Publication, publication_entry
from thingstead.planes.software.reference import Reference, reference_of
from thingstead.planes.software.release import Line, Release
from thingstead.planes.software.release_dates import release_dates
from thingstead.planes.software.shelf import Shelf
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.planes.software.source import NO_LINE, Sort, Sources, sort_of
from thingstead.planes.software.vulnerability_shelf import Exposure, VulnerabilityShelf
from thingstead.protocols.profile.release_statement import MemberName
from thingstead.protocols.suit.report import decode_report

__all__ = ["ImageScan", "StatusTracker"]

_ACTOR = "plane:software"
_THING = "thing/"

ImageScan = Callable[[bytes], Awaitable[Sequence[ImageFinding]]]
"""Looks for keys, secrets and personal data in an image; raises `PolicyError` when it cannot look through it."""


class StatusTracker:
    """Publishes releases, answers polls, and takes reports. A poll touches no disk.

    Args:
        records: the plane's documents: releases, images, and one record per thing that reported.
        anchors: the makers that the owner trusts.
        sorts: every sort of which a thing is known, whatever its state.
        scan: looks through an image before it is published (R-88).
        clock: for UTC.
        shelf: what things are offered; its own if it is not another's.

    Attributes:
        checks: each may refuse a release before it is published, with the error that says why.
        parts: what else the plane consists of; each has its own documents, dates and findings.
        gates: each may keep a thing from getting anything new.
        on_install: told of each thing that runs another release.
    """

    name = PlaneName.SOFTWARE

    def __init__(
        self,
        records: Records,
        *,
        anchors: Iterable[TrustAnchor],
        sorts: Callable[[], Iterable[Sort]],
        scan: ImageScan,
        clock: Clock,
        shelf: Shelf | None = None,
    ) -> None:
        self._records = records
        trusted = tuple(anchors)
        self._sources = Sources(trusted, sorts)
        self._scan = scan
        self._clock = clock
        self._catalogue = Catalogue(records, anchors=trusted, sources=self._sources.of, clock=clock)
        self._shelf = shelf or Shelf(clock)
        self.publication = Publication(records, clock=clock)
        self.vulnerabilities = VulnerabilityShelf(
            records, feed=self.publication.feed, carried=self.publication.carried, clock=clock
        )
        self._admitted: dict[ThingId, Thing] = {}
        self._publishing = asyncio.Lock()
        self._reporting: set[ThingId] = set()
        for key, document in records.load().items():
            if key.startswith(_THING):
                self._shelf.record(thing_id(key.removeprefix(_THING)), software_record.decode(document))
        self._offer()
        self.not_published: Counter[str] = Counter()
        self.checks: list[Check] = []
        beside = () if self._shelf.campaigns is None else (self._shelf.campaigns,)
        self.parts: list[Part] = [self.publication, self.publication.results, self.vulnerabilities, *beside]
        self.on_install: list[Callable[[ThingId], None]] = []
        self._open_door(self._shelf)

    def resume(self, admitted: Iterator[Thing]) -> None:
        """Go on answering the things that were admitted before a restart."""
        for thing in admitted:
            self._admit(thing)

    def trust(self, anchors: Iterable[TrustAnchor]) -> None:
        """Go by these makers' keys from now on; releases under keys of others are offered no more."""
        trusted = tuple(anchors)
        self._sources.trust(trusted)
        self._catalogue.trust(trusted)
        self._shelf.take_back()
        self._offer()
        self.resume(iter(tuple(self._admitted.values())))

    # --- releases

    async def publish(self, encoded: bytes, image: bytes, *, terms: Terms, bundle: Bundle = NOTHING) -> Campaign:
        """Verify, rehearse, look through and weigh a release; once it is on disk and on the ledger it is offered.

        A refused one is on the ledger too, and reaches nobody; one that is held waits whole.

        Raises:
            SecurityError, ProtocolError: as for `release.open_release` and `Publication.weigh`.
            PolicyError: no known thing is of its class ("class") or goes by its source ("source"), or the owner's
                policy refuses it, e.g. for what the image carries ("image").
            HeldError: it waits for a second person.
            StorageError: it could not be kept; nothing is offered.
        """
        async with self._publishing:
            return await self._publish(encoded, image, terms, bundle)

    async def approve(self, manifest: str, *, terms: Terms) -> Campaign:
        """Publish what waits, as a second person.

        Args:
            manifest: how the hexadecimal digest of its manifest begins.
            terms: who approves, and the owner's policy as it is now.

        Raises:
            ForbiddenError: whoever approves it brought it ("same"), or was shown other reasons ("reasons").
            PolicyError, HeldError, SecurityError, ProtocolError: as for `publish`: what has changed meanwhile counts.
        """
        async with self._publishing:
            # Not before: somebody may be taking it back.
            digest = self.publication.find(manifest)
            encoded, image, bundle = self.publication.waiting(digest)
            return await self._publish(encoded, image, replace(terms, approves=digest), bundle)

    async def discard(self, manifest: str, *, actor: str) -> Held:
        """Take back what waits, which nobody was offered.

        Args:
            manifest: how the hexadecimal digest of its manifest begins.
            actor: who does.

        Raises:
            PolicyError: none waits, or several that begin so.
        """
        async with self._publishing:
            return await self.publication.withdraw(self.publication.find(manifest), actor=actor)

    def held(self) -> tuple[Held, ...]:
        """Releases that wait for a second person."""
        return self.publication.held()

    def carried(self, manifest: str) -> Carried | None:
        """What a published release brought along, by how its manifest's digest begins."""
        return self.publication.kept(manifest)

    def result(self, manifest: str) -> bytes | None:
        """What the checks of a release came to, by how its manifest's digest begins (`domain.release_result`)."""
        return self.publication.results.find(manifest)

    async def take_records(self, encoded: Sequence[bytes]) -> int:
        """Take up records of known vulnerabilities; how many are known then."""
        return await self.vulnerabilities.take(encoded)

    async def exposures(self) -> tuple[Exposure, ...]:
        """Known vulnerabilities of software that things say they run."""
        return self.vulnerabilities.exposures(self._shelf.records)

    async def _publish(self, encoded: bytes, image: bytes, terms: Terms, bundle: Bundle) -> Campaign:
        """One at a time: what a release is weighed against does not change meanwhile."""
        examined: Examination | None = None
        try:
            release = self._catalogue.open(encoded, image, bundle.files)
            model, is_first = self._sources.model(release.line), self._catalogue.newest(release.line) < 0
            examined = Examination(release, model=model, is_first=is_first, at=self._clock.utc())
            found = await self._weigh(release, bundle, examined, terms, model=model)
            await examined.look_further(self.checks)
        except HeldError:
            raise
        except ThingsteadError as error:
            self.not_published[error.reason] += 1
            await self.publication.refuse(error, examined, actor=terms.actor)
            raise
        result = examined.result(Verdict.PUBLISHED)
        draft = publication_entry(release, found, result, terms)
        kept = self.publication.results.changes(result)
        published = await self._catalogue.publish(release, model=model, entry=draft, beside=kept)
        self.publication.results.take(kept)
        await self.publication.settled(release.manifest.digest.value)
        self._offer()
        return self._campaign(release.manifest.digest.value, published)

    async def _weigh(
        self, release: Release, bundle: Bundle, examined: Examination, terms: Terms, *, model: str
    ) -> Sequence[Objection]:
        with examined.step(IMAGE_SCAN):
            findings = [one for image in (release.image, *release.further.values()) for one in await self._scan(image)]
        before = self._catalogue.offered().get(release.line)
        of_line = [one for one in self._admitted.values() if self._shelf.seats[one.id].line == release.line]
        return await self.publication.weigh(
            release,
            bundle,
            findings,
            terms,
            examined=examined,
            source=self._sources.anchor(release.line),
            model=model,
            before=None if before is None else before.manifest.digest.value,
            supported_until=max([one.support_end for one in of_line if one.support_end is not None], default=None),
        )

    def campaigns(self, progress: Mapping[bytes, Progress] | None = None) -> tuple[Campaign, ...]:
        """Every release that was published, oldest first, and how far it has come.

        Args:
            progress: by manifest digest, what was handed out where that is not known here.
        """
        if progress is not None:
            self._shelf.progress = dict(progress)
        return tuple([self._campaign(digest, release) for digest, release in self._catalogue.published().items()])

    def runs(self, thing: ThingId) -> SoftwareRecord:
        """What a thing reported; its sequence number is -1 before its first report."""
        return self._shelf.records.get(thing, SoftwareRecord())

    def references(self) -> tuple[Reference, ...]:
        """What things measure when they run the releases that were published, oldest first."""
        published = self._catalogue.published().items()
        return tuple([reference_of(digest, release, self._brought(digest)) for digest, release in published])

    def envelopes(self, vendor_id: bytes) -> tuple[tuple[Line, int, bytes], ...]:
        """Of each line of a vendor's things the newest two releases: line, sequence number, envelope."""
        return self._catalogue.newest_two(vendor_id)

    def targets(self, model: str) -> Iterator[ThingId]:
        """The things of a model that may update now."""
        return (thing.id for thing in self._admitted.values() if thing.model == model)

    # --- what things ask

    def _open_door(self, shelf: Shelf) -> None:
        """What a transport asks of a tracker is for the shelf to say, but for reports (`door.Door`)."""
        self.accepts, self.poll, self.image, self.on_offer = shelf.accepts, shelf.poll, shelf.image, shelf.on_offer
        self.is_kept, self.keep, self.cancelled = shelf.is_kept, shelf.keep, shelf.cancelled
        self.gates, self.hold, self.let_go, self.objection = shelf.gates, shelf.hold, shelf.let_go, shelf.objection

    async def report(self, thing: ThingId, encoded: bytes) -> None:
        """Take a SUIT report; what it says is on disk and on the ledger when this returns. A repetition costs nothing.

        A release that was never published here is believed once, as what a thing brought along when it came.

        Raises:
            ForbiddenError: not admitted; or about a manifest that was not published for its class, an image that it
                does not bring, or an older release than was reported before.
            DecodeError: not a SUIT report.
            TransportError: an earlier one of the thing is being written; it is to come again.
        """
        line = self._shelf.require_line(thing)
        report = decode_report(encoded)
        published = self._catalogue.find(report.manifest_digest.value)
        if thing in self._reporting:
            raise TransportError(f"an earlier report of {thing} is being written", reason="busy")
        before = self.runs(thing)
        if published is not None and published.line != line:
            published = None
        at = self._clock.utc()
        after = installation.record_after(before, report, published, at=at)
        self._shelf.heard(thing)
        if after is before:
            return
        self._reporting.add(thing)
        self._shelf.record(thing, after)
        try:
            draft = installation.entry(thing, report, published, at=at)
            await self._records.write({_THING + thing: software_record.encode(after)}, entries=[draft])
        except StorageError:
            if thing in self._shelf.records:
                self._shelf.record(thing, before)
            raise
        finally:
            self._reporting.discard(thing)
        if after.installed_at != before.installed_at:
            for listener in self.on_install:
                listener(thing)

    # --- the plane

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Answer its polls from now on."""
        line = self._admit(thing)
        if line is None:
            return self._receipt(thing, Demand.ADMIT, transition_id, f"gets no releases: {NO_LINE}")
        release = self._catalogue.current(line)
        detail = "no release for it yet" if release is None else f"offered {release.version}"
        return self._receipt(thing, Demand.ADMIT, transition_id, f"update polls answered, {detail}")

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Answer none; what it reported stays."""
        self._drop(thing.id)
        return self._receipt(thing, Demand.RESTRICT, transition_id, "update polls refused")

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Answer none ever, and forget what it reported; the ledger keeps that."""
        self._drop(thing.id)
        self._shelf.record(thing.id, None)
        # Also where memory has none: a report may be on its way to the disk.
        await self._records.write({_THING + thing.id: None})
        return self._receipt(thing, Demand.WITHDRAW, transition_id, "update polls refused, its record erased")

    async def probe(self, thing: Thing) -> Probe:
        """Ask, as the update resource does, whether it would answer a poll."""
        return self._shelf.probe(thing.id)

    def expiries(self) -> Sequence[Expiry]:
        """The end of each offered release's use-before, and of the makers' support."""
        seats = [(thing, self._shelf.seats[thing.id].line) for thing in self._admitted.values()]
        own = release_dates(seats, current=self._catalogue.current, runs=self.runs)
        return [*own, *[one for part in self.parts for one in part.expiries()]]

    def assets(self) -> Sequence[CryptoAsset]:
        """The keys of updates, and the releases that they have signed."""

        def takers(source: str) -> list[ThingId]:
            lines = {name: self._shelf.seats[name].line for name in self._admitted}
            return [name for name, line in lines.items() if line is not None and line.source == source]

        return list(software_assets(self._sources.anchors(), takers, self._catalogue.offered()))

    def findings(self, question: str) -> Sequence[Finding]:
        """What this plane shows for tampered firmware, updates and their requirements."""
        beside = [one for part in self.parts for one in part.findings(question)]
        is_quantum_safe = any(one.is_post_quantum for one in self._catalogue.offered().values())
        return [*finding(question, self.campaigns(), self.not_published, is_quantum_safe=is_quantum_safe), *beside]

    def snapshot(self) -> Mapping[str, bytes]:
        """Releases with their images, and what things reported."""
        reported = {_THING + thing: software_record.encode(record) for thing, record in self._shelf.records.items()}
        beside = {key: document for part in self.parts for key, document in part.snapshot().items()}
        return self._catalogue.documents() | reported | beside

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up what is not here; nobody is admitted by that, and no release becomes older."""
        for part in self.parts:
            await part.restore(documents)
        await self._catalogue.restore(documents)
        self._offer()
        fresh: dict[str, bytes | None] = {}
        for key, document in documents.items():
            if key.startswith(_THING) and thing_id(key.removeprefix(_THING)) not in self._shelf.records:
                self._shelf.record(thing_id(key.removeprefix(_THING)), software_record.decode(document))
                fresh[key] = document
        await self._records.write(fresh)

    # --- within

    def _brought(self, digest: bytes) -> bytes:
        carried = self.publication.carried(digest)
        return b"" if carried is None else carried.files.get(MemberName.REFERENCE_VALUES, b"")

    def _admit(self, thing: Thing) -> Line | None:
        line = self._sources.line(sort_of(thing))
        self._admitted[thing.id] = thing
        self._shelf.admit(thing.id, Seat(line, thing.model, thing.zone, thing.serial))
        return line

    def _offer(self) -> None:
        catalogue = self._catalogue
        models = {line: catalogue.model(release) for line, release in catalogue.offered().items()}
        self._shelf.offer({line: offer_of(one, models[line]) for line, one in catalogue.offered().items()})

    def _campaign(self, digest: bytes, published: Published) -> Campaign:
        things = sum(seat.line == published.line for seat in self._shelf.seats.values())
        progress = self._shelf.progress.get(digest, Progress())
        return campaign(digest, published, progress, things=things, records=self._shelf.records)

    def _drop(self, thing: ThingId) -> None:
        self._admitted.pop(thing, None)
        self._shelf.drop(thing)

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)
