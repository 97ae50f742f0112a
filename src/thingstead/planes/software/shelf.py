"""What things are offered: asked per message where messages come in, whoever verifies the releases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from thingstead.clock import Clock
from thingstead.domain.campaign import Verdict
from thingstead.domain.plane import PlaneName, Probe, Standing
from thingstead.errors import ForbiddenError
from thingstead.identifier import ThingId
from thingstead.planes.software.campaign import Progress
from thingstead.planes.software.campaigns import Campaigns, Seat
from thingstead.planes.software.offer import Offer
from thingstead.planes.software.release import Line
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.planes.software.source import NO_LINE

__all__ = ["Gate", "Shelf"]

Gate = Callable[[ThingId], str]
"""Why a thing is to get nothing new now, in a few words; empty where nothing is against it. Asked at each poll, so it
answers from memory."""


class Shelf:
    """Hands the newest release of its line to each thing that may have it; a poll touches no disk.

    Args:
        clock: for UTC.
        campaigns: who may have what when; None where nobody polls, and for tests: everybody then.

    Attributes:
        gates: each may keep a thing from getting anything new; nothing is taken back by it.
        on_offer: told when other releases are on offer.
    """

    def __init__(self, clock: Clock, campaigns: Campaigns | None = None) -> None:
        self._clock = clock
        self.campaigns = campaigns
        self.gates: list[Gate] = []
        self.on_offer: list[Callable[[], None]] = []
        self._held: dict[ThingId, dict[str, None]] = {}
        self._seats: dict[ThingId, Seat] = {}
        self._offers: dict[Line, Offer] = {}
        self._given: dict[ThingId, Offer] = {}
        self._records: dict[ThingId, SoftwareRecord] = {}
        self._last_acceptance: dict[ThingId, datetime] = {}
        self.progress: dict[bytes, Progress] = {}

    def admit(self, thing: ThingId, seat: Seat) -> None:
        """Answer its polls from now on, with releases of its line."""
        self._seats[thing] = seat
        if self.campaigns is not None:
            self.campaigns.admit(thing, seat)

    def drop(self, thing: ThingId) -> None:
        """Answer none."""
        self._seats.pop(thing, None)
        self._given.pop(thing, None)
        if self.campaigns is not None:
            self.campaigns.drop(thing)

    def offer(self, offers: Mapping[Line, Offer]) -> None:
        """Offer these, and nothing else; what was given before and is offered no more is nobody's to fetch."""
        self._offers = dict(offers)
        if self.campaigns is not None:
            self.campaigns.offer(self._offers)
        for listener in self.on_offer:
            listener()

    def take_back(self) -> None:
        """Whoever was given a release asks anew."""
        self._given.clear()

    def record(self, thing: ThingId, record: SoftwareRecord | None) -> None:
        """What a thing runs; None where nobody is to know any more."""
        if record is None:
            self._records.pop(thing, None)
        else:
            self._records[thing] = record
        if self.campaigns is not None:
            self.campaigns.record(thing, record)

    @property
    def records(self) -> Mapping[ThingId, SoftwareRecord]:
        """What each thing reported."""
        return self._records

    @property
    def seats(self) -> Mapping[ThingId, Seat]:
        """Who may update, and with what."""
        return self._seats

    # --- who has to wait

    def hold(self, thing: ThingId, reason: str) -> None:
        """Give a thing nothing new until it is let go for the same reason; not kept over a restart."""
        self._held.setdefault(thing, {})[reason] = None

    def let_go(self, thing: ThingId, reason: str) -> None:
        """That is not against it any more; other reasons may be."""
        self._held.get(thing, {}).pop(reason, None)

    def objection(self, thing: ThingId) -> str:
        """What keeps a thing from getting anything new beside campaigns; empty where nothing does."""
        held = next(iter(self._held.get(thing, ())), "")
        return held or next(filter(None, (gate(thing) for gate in self.gates)), "")

    # --- what things ask

    def accepts(self, thing: ThingId) -> bool:
        """Whether a poll of `thing` would be answered now; a held thing's is: an update may be what it is held for."""
        return thing in self._seats

    def require_line(self, thing: ThingId) -> Line:
        """The releases that are for a thing.

        Raises:
            ForbiddenError: the thing is not admitted here, or nobody who is trusted signs any for it.
        """
        if not self.accepts(thing):
            raise ForbiddenError(f"{thing} gets no updates now", reason="software-plane")
        line = self._seats[thing].line
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
        """The release for `thing`; None while there is none for its class, or others go first.

        Its place is to be on disk before it hears of the release: see `is_kept`. Errors as for `require_line`.
        """
        offer = self.current(self.require_line(thing))
        self.heard(thing)
        if offer is None or not self._may_have(thing, offer):
            return None
        self._given[thing] = offer
        self._progress_of(offer).offered.add(thing)
        return offer

    def is_kept(self, thing: ThingId) -> bool:
        """Whether the place of a thing in its campaign is on disk; `Campaigns.keep` puts it there."""
        return self.campaigns is None or self.campaigns.is_kept(thing)

    async def keep(self, thing: ThingId) -> None:
        """Return when it is.

        Raises:
            StorageError: it is not.
        """
        if self.campaigns is not None and not self.campaigns.is_kept(thing):
            await self.campaigns.keep()

    def image(self, thing: ThingId) -> Offer | None:
        """The release whose image `thing` wants: the one it was given, even if a newer one came meanwhile.

        None where it was given none and may have none, or where that was aborted. Errors as for `require_line`.
        """
        current = self.current(self.require_line(thing))
        self.heard(thing)
        offer = self._given.get(thing)
        if offer is None and current is not None and self._may_have(thing, current):
            offer = current
        if offer is None or self._is_aborted(offer):
            return None
        self._progress_of(offer).fetched.add(thing)
        return offer

    def cancelled(self, thing: ThingId) -> Offer | None:
        """What a thing was given in this life of the domain, and is not to install any more."""
        offer = self._given.get(thing)
        return offer if offer is not None and self._is_aborted(offer) else None

    def heard(self, thing: ThingId) -> None:
        """Something of a thing was accepted."""
        self._last_acceptance[thing] = self._clock.utc()

    def last_heard(self, thing: ThingId) -> datetime | None:
        """When something of it was accepted last; None if nothing was in this life of the domain."""
        return self._last_acceptance.get(thing)

    def probe(self, thing: ThingId) -> Probe:
        """Whether it would answer a poll, as the update resource asks."""
        standing = Standing.ACCEPTED if self.accepts(thing) else Standing.REFUSED
        last = self._last_acceptance.get(thing)
        return Probe(PlaneName.SOFTWARE, thing, standing, "update resource", self._clock.utc(), "", last)

    def _may_have(self, thing: ThingId, offer: Offer) -> bool:
        if self.objection(thing):
            return False
        return self.campaigns is None or self.campaigns.ask(thing, offer) is Verdict.OFFER

    def _is_aborted(self, offer: Offer) -> bool:
        return self.campaigns is not None and self.campaigns.is_aborted(offer.manifest_digest)

    def _progress_of(self, offer: Offer) -> Progress:
        return self.progress.setdefault(offer.manifest_digest, Progress())
