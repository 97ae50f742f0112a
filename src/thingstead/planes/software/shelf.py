"""What things are offered: asked per message where messages come in, whoever verifies the releases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from thingstead.clock import Clock
from thingstead.domain.plane import PlaneName, Probe, Standing
from thingstead.errors import ForbiddenError
from thingstead.identifier import ThingId
from thingstead.planes.software.campaign import Progress
from thingstead.planes.software.release import Line, Release
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.planes.software.source import NO_LINE

__all__ = ["Offer", "Shelf", "offer_of"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A release as it goes out; attributes as in `Release`, and the digest of its manifest."""

    version: str
    sequence_number: int
    encoded: bytes
    image: bytes
    etag: bytes
    use_before: datetime | None
    manifest_digest: bytes


def offer_of(release: Release) -> Offer:
    """What goes out of a release."""
    return Offer(
        release.version,
        release.sequence_number,
        release.encoded,
        release.image,
        release.etag,
        release.use_before,
        release.manifest.digest.value,
    )


class Shelf:
    """Hands the newest release of its line to each thing that may update; a poll touches no disk.

    Args:
        clock: for UTC.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: dict[ThingId, Line | None] = {}
        self._offers: dict[Line, Offer] = {}
        self._given: dict[ThingId, Offer] = {}
        self._records: dict[ThingId, SoftwareRecord] = {}
        self._last_acceptance: dict[ThingId, datetime] = {}
        self.progress: dict[bytes, Progress] = {}

    def admit(self, thing: ThingId, line: Line | None) -> None:
        """Answer its polls from now on, with releases of this line; None where nobody trusted signs any for it."""
        self._lines[thing] = line

    def drop(self, thing: ThingId) -> None:
        """Answer none."""
        self._lines.pop(thing, None)
        self._given.pop(thing, None)

    def offer(self, offers: Mapping[Line, Offer]) -> None:
        """Offer these, and nothing else; what was given before and is offered no more is nobody's to fetch."""
        self._offers = dict(offers)

    def take_back(self) -> None:
        """Whoever was given a release asks anew."""
        self._given.clear()

    def record(self, thing: ThingId, record: SoftwareRecord | None) -> None:
        """What a thing runs; None where nobody is to know any more."""
        if record is None:
            self._records.pop(thing, None)
        else:
            self._records[thing] = record

    @property
    def records(self) -> Mapping[ThingId, SoftwareRecord]:
        """What each thing reported."""
        return self._records

    @property
    def lines(self) -> Mapping[ThingId, Line | None]:
        """Who may update, and with what."""
        return self._lines

    def accepts(self, thing: ThingId) -> bool:
        """Whether a poll of `thing` would be answered now; a held thing's is: an update may be what it is held for."""
        return thing in self._lines

    def require_line(self, thing: ThingId) -> Line:
        """The releases that are for a thing.

        Raises:
            ForbiddenError: the thing is not admitted here, or nobody who is trusted signs any for it.
        """
        if not self.accepts(thing):
            raise ForbiddenError(f"{thing} gets no updates now", reason="software-plane")
        line = self._lines[thing]
        if line is None:
            raise ForbiddenError(f"{thing} gets no releases: {NO_LINE}", reason="maker")
        return line

    def current(self, line: Line) -> Offer | None:
        """What things of a line are offered now."""
        offer = self._offers.get(line)
        if offer is None or (offer.use_before is not None and offer.use_before <= self._clock.utc()):
            return None
        return offer

    def poll(self, thing: ThingId) -> Offer | None:
        """The release for `thing`; None while there is none for its class; errors as for `require_line`."""
        offer = self.current(self.require_line(thing))
        self.heard(thing)
        if offer is not None:
            self._given[thing] = offer
            self._progress_of(offer).offered.add(thing)
        return offer

    def image(self, thing: ThingId) -> Offer | None:
        """The release whose image `thing` wants: the one it was given, even if a newer one came meanwhile.

        Errors as for `require_line`.
        """
        current = self.current(self.require_line(thing))
        offer = self._given.get(thing, current)
        self.heard(thing)
        if offer is not None:
            self._progress_of(offer).fetched.add(thing)
        return offer

    def heard(self, thing: ThingId) -> None:
        """Something of a thing was accepted."""
        self._last_acceptance[thing] = self._clock.utc()

    def probe(self, thing: ThingId) -> Probe:
        """Whether it would answer a poll, as the update resource asks."""
        standing = Standing.ACCEPTED if self.accepts(thing) else Standing.REFUSED
        last = self._last_acceptance.get(thing)
        return Probe(PlaneName.SOFTWARE, thing, standing, "update resource", self._clock.utc(), "", last)

    def _progress_of(self, offer: Offer) -> Progress:
        return self.progress.setdefault(offer.manifest_digest, Progress())
