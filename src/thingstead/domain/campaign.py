"""A campaign: something is brought to many things, each of which has a state in it (RFC 9019 §2.3 leaves how to us).

What is brought is not its business: a release is, and whatever else many things take one after the other could be. It
is told who is there, who asks and how it ended, and says who gets it now and, in one word, why somebody does not. An
answer takes the same few steps however many things there are. What changed is taken out of it by whoever keeps it::

    RUNNING -> FINISHED      all stages done: whoever comes later still gets it
       |  ^        |
       v  |        |
     PAUSED        |         nobody new; who has begun may finish
       |           |
       v           v
    ABORTED / SUPERSEDED     nobody any more; what was aborted may be taken up again by a person
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from thingstead.domain.campaign_plan import Dependency, Plan, Stage
from thingstead.errors import StateError
from thingstead.identifier import ThingId

__all__ = ["Campaign", "Header", "Place", "Standing", "Status", "Verdict", "Zones"]


class Status(StrEnum):
    """Where a campaign stands."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"


class Standing(StrEnum):
    """Where one thing stands in it."""

    WAITING = "waiting"
    OFFERED = "offered"
    SILENT = "silent"
    INSTALLED = "installed"
    FAILED = "failed"


class Verdict(StrEnum):
    """What a thing that asks gets, in words for people."""

    OFFER = "offered"
    PAUSED = "the campaign is paused"
    ENDED = "the campaign has ended"
    FAILED = "it failed before: it waits for the next release"
    HOURS = "outside the hours of the campaign"
    CANARY = "others go first"
    STAGE = "the stage has no place left"
    DEPENDENCY = "something else has to be done first"
    ZONE = "as many of its zone as may are updating"


@dataclass(frozen=True, slots=True)
class Header:
    """What is kept of a campaign beside its things.

    Attributes:
        plan: as its owner planned it.
        begun_at: when it began.
        status: where it stands.
        cause: why, as a slug.
        stage: which of the plan's, from 0.
        since: when this stage, or this status where it has ended, began.
        ripe_at: when all of the stage had ended well; None before.
        forgiven: failures that a person looked at and went on over.
    """

    plan: Plan
    begun_at: datetime
    status: Status = Status.RUNNING
    cause: str = "begun"
    stage: int = 0
    since: datetime | None = None
    ripe_at: datetime | None = None
    forgiven: int = 0

    @property
    def is_open(self) -> bool:
        """Whether anybody gets anything of it."""
        return self.status in {Status.RUNNING, Status.FINISHED}

    @property
    def has_ended(self) -> bool:
        """Whether nobody gets anything of it any more."""
        return self.status in {Status.ABORTED, Status.SUPERSEDED}


@dataclass(slots=True)
class Place:
    """One thing in it.

    Attributes:
        names: its id and its serial number, by either of which a plan may mean it.
        zone: where it is.
        standing: where it stands.
        offered_at: when it was offered, the last time that it began; None before.
    """

    names: tuple[str, ...]
    zone: str
    standing: Standing
    offered_at: datetime | None = None


class Zones:
    """How many things each zone has, and how many of them are in the midst of something; of all campaigns together."""

    def __init__(self) -> None:
        self.things: Counter[str] = Counter()
        self.updating: Counter[str] = Counter()


_REACHED_FROM: Mapping[Status, tuple[Status, ...]] = {
    Status.RUNNING: (Status.PAUSED, Status.ABORTED),
    Status.PAUSED: (Status.RUNNING, Status.FINISHED),
    Status.FINISHED: (Status.RUNNING,),
    Status.ABORTED: (Status.RUNNING, Status.PAUSED, Status.FINISHED),
    Status.SUPERSEDED: (Status.RUNNING, Status.PAUSED, Status.FINISHED, Status.ABORTED),
}


@dataclass(slots=True)
class Campaign:
    """One of them, and the state of each thing in it.

    Args:
        header: as it begins, or as it was kept.
        zones: shared with the other campaigns of the domain.
        is_behind: whether a dependency is not met yet for things of a zone.

    Attributes:
        last_offer: when something was last handed out; None before, in this life.
        unkept: things whose place nobody has kept yet, and since when they have it.
        changes: headers that nobody has kept yet, oldest first.
    """

    header: Header
    zones: Zones = field(default_factory=Zones)
    is_behind: Callable[[Dependency, str], bool] = lambda _dependency, _zone: False
    last_offer: datetime | None = None
    unkept: dict[ThingId, datetime] = field(default_factory=dict)
    changes: list[Header] = field(default_factory=list)
    _places: dict[ThingId, Place] = field(default_factory=dict)
    _counts: Counter[Standing] = field(default_factory=Counter)
    _taken: int = 0
    _done: int = 0
    _begun: list[tuple[datetime, ThingId]] = field(default_factory=list)
    _hours: tuple[int, bool] = (-1, False)

    # --- who is there

    def place(
        self,
        thing: ThingId,
        *,
        zone: str,
        serial: str = "",
        standing: Standing = Standing.WAITING,
        offered_at: datetime | None = None,
    ) -> None:
        """Take a thing in that joined, was there before, or whose place was kept; one that is in moves to its zone."""
        known = self._places.get(thing)
        if known is not None:
            self._move(known, zone)
            return
        if offered_at is not None and standing is Standing.WAITING:
            standing = Standing.OFFERED
        self._places[thing] = place = Place((thing, serial), zone, Standing.WAITING, offered_at)
        self._counts[Standing.WAITING] += 1
        if offered_at is not None:
            self._taken += 1
            heapq.heappush(self._begun, (offered_at, thing))
        self._stand(place, standing)

    def drop(self, thing: ThingId) -> None:
        """It is not there any more."""
        place = self._places.get(thing)
        if place is not None:
            self._stand(place, Standing.WAITING)
            self._counts[Standing.WAITING] -= 1
            self._taken -= place.offered_at is not None
            del self._places[thing]

    def things(self, *standings: Standing) -> Iterator[tuple[ThingId, Place]]:
        """Who stands so; everybody who is in it, if none is given."""
        return ((name, one) for name, one in self._places.items() if not standings or one.standing in standings)

    def standing(self, thing: ThingId) -> Standing | None:
        """Where a thing stands; None if it is not in it."""
        place = self._places.get(thing)
        return None if place is None else place.standing

    def offered_at(self, thing: ThingId) -> datetime | None:
        """Since when it has a place; None if it has none."""
        place = self._places.get(thing)
        return None if place is None else place.offered_at

    @property
    def counts(self) -> dict[Standing, int]:
        """How many stand where."""
        return {standing: self._counts[standing] for standing in Standing}

    @property
    def places(self) -> int:
        """How many things may have been offered it by the end of this stage; who had it before needs no place."""
        had_it_before = self._counts[Standing.INSTALLED] - self._done
        return self._stage.places.of(len(self._places) - had_it_before)

    @property
    def fatal(self) -> int | None:
        """Which failure ends it in this stage; None if none does."""
        number = self.header.plan.fatal(self.places)
        return None if number is None else number + self.header.forgiven

    # --- what is asked and told

    def ask(self, thing: ThingId, at: datetime) -> Verdict:
        """What a thing gets that asks now; one that is offered it for the first time has a place from then on."""
        verdict = self.judge(thing, at)
        if verdict is Verdict.OFFER:
            place = self._places[thing]
            self.last_offer = at
            if place.standing in {Standing.WAITING, Standing.SILENT}:
                # Of who begins again, too: its patience must count from now after a restart, or its zone takes another.
                self._taken += place.offered_at is None
                self.unkept[thing] = place.offered_at = at
                self._begin(thing, place, at)
        return verdict

    def judge(self, thing: ThingId, at: datetime) -> Verdict:
        """What it would get; changes nothing."""
        header, place = self.header, self._places.get(thing)
        if header.has_ended or place is None or self._has_failed:
            return Verdict.ENDED
        if place.standing is Standing.OFFERED:
            return Verdict.OFFER
        if place.standing is Standing.FAILED:
            return Verdict.FAILED
        if not header.is_open:
            return Verdict.PAUSED
        if not self._is_in_hours(at):
            return Verdict.HOURS
        return Verdict.OFFER if place.standing is Standing.INSTALLED else self._room_for(place)

    def settle(self, thing: ThingId, standing: Standing, at: datetime) -> None:
        """How it ended for a thing; the failure that is one too many ends all of it at once."""
        place = self._places.get(thing)
        if place is None or place.standing is standing:
            return
        self._stand(place, standing)
        self.tick(at)

    def tick(self, at: datetime) -> None:
        """Let time do its work: who has fallen silent, whether too many failed, the stage is through, all is over."""
        if self._has_failed and not self.header.has_ended:
            self.change(Status.ABORTED, at, cause="failures")
        patience = self.header.plan.patience
        while self._begun and self._begun[0][0] + patience <= at:
            _, thing = heapq.heappop(self._begun)
            place = self._places.get(thing)
            if place is not None and place.standing is Standing.OFFERED:
                self._stand(place, Standing.SILENT)
        if self.header.status is Status.RUNNING:
            self._ripen(at)
            self._end(at)

    # --- what people do

    def change(self, status: Status, at: datetime, *, cause: str) -> None:
        """Another status.

        Raises:
            StateError: it is not reached from where the campaign stands ("campaign").
        """
        before = self.header
        if before.status not in _REACHED_FROM[status]:
            raise StateError(f"the campaign is {before.status}; it cannot become {status}", reason="campaign")
        failed = self._counts[Standing.FAILED] if before.status is Status.ABORTED else before.forgiven
        self._keep(replace(before, status=status, cause=cause, since=at, ripe_at=None, forgiven=failed))

    def advance(self, at: datetime, *, cause: str) -> None:
        """Begin the next stage, whatever became of this one.

        Raises:
            StateError: there is none, or the campaign does not run ("campaign").
        """
        if self.header.status is not Status.RUNNING or self._is_last:
            raise StateError("expected a campaign that runs and has another stage", reason="campaign")
        self._keep(replace(self.header, stage=self.header.stage + 1, since=at, ripe_at=None, cause=cause))

    def replan(self, plan: Plan, at: datetime) -> None:
        """Go on by another plan, from its first stage; places that were given count.

        Raises:
            StateError: the campaign is done or has ended ("campaign").
        """
        if self.header.status not in {Status.RUNNING, Status.PAUSED}:
            raise StateError(f"the campaign is {self.header.status}; no plan changes that", reason="campaign")
        self._hours = (-1, False)
        self._keep(replace(self.header, plan=plan, stage=0, since=at, ripe_at=None, cause="replanned"))

    # --- within

    @property
    def _stage(self) -> Stage:
        return self.header.plan.stages[self.header.stage]

    @property
    def _is_last(self) -> bool:
        return self.header.stage == len(self.header.plan.stages) - 1

    @property
    def _has_failed(self) -> bool:
        failed, fatal = self._counts[Standing.FAILED], self.fatal if self._counts[Standing.FAILED] else None
        return fatal is not None and failed >= fatal

    def _room_for(self, place: Place) -> Verdict:
        plan, stage = self.header.plan, self._stage
        if place.offered_at is None and stage.only and stage.only.isdisjoint(place.names):
            return Verdict.CANARY
        if place.offered_at is None and not self._is_last and self._taken >= self.places:
            return Verdict.STAGE
        if any(self.is_behind(dependency, place.zone) for dependency in plan.after):
            return Verdict.DEPENDENCY
        most = None if plan.zone_share is None else plan.zone_share.at_most(self.zones.things[place.zone])
        if most is not None and self.zones.updating[place.zone] >= most:
            return Verdict.ZONE
        return Verdict.OFFER

    def _is_in_hours(self, at: datetime) -> bool:
        """The calendar's answer, which holds for a minute."""
        minute = int(at.timestamp()) // 60
        if self._hours[0] != minute:
            self._hours = (minute, self.header.plan.calendar.is_open(at))
        return self._hours[1]

    def _ripen(self, at: datetime) -> None:
        header = self.header
        if self._is_last:
            return
        if not self._is_through(at):
            if header.ripe_at is not None:
                self._keep(replace(header, ripe_at=None))
        elif at >= (header.ripe_at or at) + self._stage.soak:
            self.advance(at, cause="stage")
        elif header.ripe_at is None:
            self._keep(replace(header, ripe_at=at))

    def _is_through(self, at: datetime) -> bool:
        """All places are given, nobody is in the midst, and at least half of them run it: silence is no success.

        Those whom a plan names may sleep; the others take their place after a while.
        """
        waited = at >= (self.header.since or self.header.begun_at) + self.header.plan.patience
        is_full = self._taken >= self.places or (bool(self._stage.only) and waited)
        return self._taken > 0 and is_full and not self._counts[Standing.OFFERED] and 2 * self._done >= self._taken

    def _end(self, at: datetime) -> None:
        header, deadline = self.header, self.header.plan.deadline
        is_late = deadline is not None and at >= header.begun_at + deadline
        is_done = bool(self._places) and not (self._counts[Standing.WAITING] or self._counts[Standing.OFFERED])
        if self._is_last and is_done:
            self.change(Status.FINISHED, at, cause="done")
        elif is_late:
            self.change(Status.FINISHED if self._is_last else Status.PAUSED, at, cause="deadline")

    def _move(self, place: Place, zone: str) -> None:
        is_updating = place.standing is Standing.OFFERED
        self.zones.updating[place.zone] -= is_updating
        self.zones.updating[zone] += is_updating
        place.zone = zone

    def _begin(self, thing: ThingId, place: Place, at: datetime) -> None:
        heapq.heappush(self._begun, (at, thing))
        self._stand(place, Standing.OFFERED)

    def _stand(self, place: Place, standing: Standing) -> None:
        before, has_place = place.standing, place.offered_at is not None
        self.zones.updating[place.zone] += (standing is Standing.OFFERED) - (before is Standing.OFFERED)
        self._counts[before] -= 1
        self._counts[standing] += 1
        self._done += has_place * ((standing is Standing.INSTALLED) - (before is Standing.INSTALLED))
        place.standing = standing

    def _keep(self, header: Header) -> None:
        self.header = header
        self.changes.append(header)
