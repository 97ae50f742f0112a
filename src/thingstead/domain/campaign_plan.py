"""Who is to get something when: a campaign's stages, hours, dependencies and thresholds, as its owner planned them.

A plan is a value: it knows no thing and no clock. What becomes of it is `thingstead.domain.campaign`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

__all__ = ["ALWAYS", "EVERYONE", "STAGED", "Calendar", "Dependency", "Hours", "Plan", "Share", "Stage"]

_MINUTE = timedelta(minutes=1)
_WEEK = 8 * 24 * 60
_WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class Share:
    """A number of things, or hundredths of a percent of them; one of the two is 0.

    Attributes:
        count: so many.
        basis: 1..10000 of 10000.
    """

    count: int = 0
    basis: int = 0

    def of(self, total: int) -> int:
        """How many of `total` that is: rounded up, so that a share of something is never nothing."""
        return self.count or max(1, -(-self.basis * total // _WHOLE))

    def at_most(self, total: int) -> int:
        """How many of `total` are no more than that; one always, or nothing would ever move."""
        return self.count or max(1, self.basis * total // _WHOLE)

    @property
    def is_whole(self) -> bool:
        """Whether it is everybody."""
        return self.basis == _WHOLE

    def __str__(self) -> str:
        return str(self.count) if self.count else f"{self.basis / 100:g}%"


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of a campaign.

    Attributes:
        places: how many things have been offered it by its end, with those of the stages before.
        soak: how long it has to stand well before the next begins.
        only: ids or serial numbers of those that are meant; empty for whoever asks first.
    """

    places: Share
    soak: timedelta = timedelta(0)
    only: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the week by the clock on the wall.

    Attributes:
        days: on which it begins, 0 for Monday.
        start: minute of the day.
        end: minute of the day; at or before `start` it is one of the next day.
    """

    days: frozenset[int]
    start: int
    end: int

    def holds(self, local: datetime) -> bool:
        """Whether a local time is in it."""
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        return (today in self.days and minute >= self.start) or ((today - 1) % 7 in self.days and minute < self.end)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When something may begin.

    Attributes:
        windows: only in these; always where there are none.
        quiet: never in these.
        zone: whose clock; it knows of summer time.
    """

    windows: tuple[Hours, ...] = ()
    quiet: tuple[Hours, ...] = ()
    zone: tzinfo = UTC

    def is_open(self, at: datetime) -> bool:
        """Whether something may begin at `at`."""
        if not self.windows and not self.quiet:
            return True
        local = at.astimezone(self.zone)
        in_window = not self.windows or any(one.holds(local) for one in self.windows)
        return in_window and not any(one.holds(local) for one in self.quiet)

    def opens(self, at: datetime) -> datetime | None:
        """The first minute from `at` on in which something may begin; None if none comes within eight days."""
        return next((minute for minute in _minutes(at) if self.is_open(minute)), None)

    def closes(self, at: datetime) -> datetime | None:
        """The first minute from `at` on in which nothing may begin; None if none comes within eight days."""
        return next((minute for minute in _minutes(at) if not self.is_open(minute)), None)


def _minutes(at: datetime) -> Iterator[datetime]:
    yield at
    minute = at.replace(second=0, microsecond=0)
    yield from (minute + number * _MINUTE for number in range(1, _WEEK + 1))


ALWAYS = Calendar()


@dataclass(frozen=True, slots=True)
class Dependency:
    """What has to be done first: a gateway before its leaves, for one.

    Attributes:
        model: of the things that go first.
        sequence_number: the release that they run by then, or a newer one.
        version: of that release, for people.
        same_zone: those in a thing's own zone; else those everywhere.
    """

    model: str
    sequence_number: int
    version: str = ""
    same_zone: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A campaign as it is meant.

    Attributes:
        stages: one after the other; the last is everybody.
        zone_share: how many of a zone's things may be in the midst of any update at one time; None for all.
        calendar: when a thing may begin; who has begun may finish.
        after: what has to be done first.
        abort: each of it ends the campaign: so many failures, or such a share of the places of the stage.
        patience: how long a thing that was offered it is waited for.
        deadline: counted from the beginning: who was not there by then is told by name; None to wait for good.
    """

    stages: tuple[Stage, ...] = (Stage(Share(basis=_WHOLE)),)
    zone_share: Share | None = None
    calendar: Calendar = ALWAYS
    after: tuple[Dependency, ...] = ()
    abort: tuple[Share, ...] = ()
    patience: timedelta = timedelta(days=1)
    deadline: timedelta | None = None

    def __post_init__(self) -> None:
        if not self.stages or not self.stages[-1].places.is_whole or self.stages[-1].only:
            raise ValueError("the last stage of a plan is everybody")

    def fatal(self, places: int) -> int | None:
        """Which failure ends the campaign in a stage of so many places; None if none does."""
        return min([share.of(places) for share in self.abort], default=None)


EVERYONE = Plan()
"""All at once, which is what a few things at home want."""

STAGED = Plan(
    stages=(Stage(Share(5)), Stage(Share(basis=1000)), Stage(Share(basis=_WHOLE))),
    zone_share=Share(basis=5000),
    abort=(Share(basis=1000),),
)
"""For many things where nobody said how: five, a tenth, all; half of a zone at a time; a tenth that fails ends it."""
