"""What a thing tries after an update that it did not try before, and that its file does not allow (RFC 8576 §3; R-30).

What a release announces stands in its MUD file, and is let through once that is in force. What is refused all the same
was announced by nobody: once may be chance; in several minutes, and more often than before, it comes of the update.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from thingstead.identifier import ThingId

__all__ = ["Behaviour", "Change", "Limits"]

_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  only differences of minutes are made of it


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is looked back and ahead.

    Attributes:
        window: how long before and after an installation is compared.
        periods: minutes with refused packets, since an installation, that are no chance any more.
        factor: how much more often than before.
        max_minutes: minutes that are remembered of one thing.
    """

    window: timedelta = timedelta(days=1)
    periods: int = 3
    factor: float = 2.0
    max_minutes: int = 1440


@dataclass(frozen=True, slots=True)
class Change:
    """A thing that behaves otherwise since it runs another release.

    Attributes:
        thing: which one.
        version: of the release.
        since: when it said that it installed that.
        before: minutes in which packets were refused, in as long a time before.
        after: and since.
    """

    thing: ThingId
    version: str
    since: datetime
    before: int
    after: int


@dataclass(slots=True)
class _Update:
    version: str
    since: datetime
    is_told: bool = False


@dataclass(slots=True)
class _Seen:
    minutes: deque[int] = field(default_factory=deque)
    update: _Update | None = None


class Behaviour:
    """Remembers in which minutes a thing's packets were refused; in memory, and bounded for each thing."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._seen: dict[ThingId, _Seen] = {}

    def refused(self, thing: ThingId, at: datetime) -> None:
        """Packets of a thing were refused that no rule allows."""
        minutes, now = self._of(thing).minutes, _minute(at)
        if minutes and minutes[-1] == now:
            return
        minutes.append(now)
        if len(minutes) > self._limits.max_minutes:
            minutes.popleft()

    def installed(self, thing: ThingId, version: str, at: datetime) -> None:
        """A thing says that it runs another release: what it does from now on is compared with what it did."""
        self._of(thing).update = _Update(version, at)

    def forget(self, thing: ThingId) -> None:
        """It left."""
        self._seen.pop(thing, None)

    def compare(self, at: datetime) -> tuple[Change, ...]:
        """Things that began something new with their release; each is told once for each release."""
        changes = []
        for thing, seen in self._seen.items():
            update = seen.update
            if update is None or update.is_told:
                continue
            if at - update.since > self._limits.window:
                seen.update = None
                continue
            change = self._change(thing, seen.minutes, update, at)
            if change is not None:
                update.is_told = True
                changes.append(change)
        return tuple(changes)

    def _change(self, thing: ThingId, minutes: deque[int], update: _Update, at: datetime) -> Change | None:
        since, now = _minute(update.since), _minute(at)
        # As long a time before the installation as has passed since, and an hour at least: old noise is no news.
        span = max(now - since, 60)
        before = sum(since - span <= minute < since for minute in minutes)
        after = sum(minute >= since for minute in minutes)
        if after < self._limits.periods or after < before * self._limits.factor:
            return None
        return Change(thing, update.version, update.since, before, after)

    def _of(self, thing: ThingId) -> _Seen:
        return self._seen.setdefault(thing, _Seen())


def _minute(at: datetime) -> int:
    return (at.replace(tzinfo=None) - _EPOCH) // _MINUTE
