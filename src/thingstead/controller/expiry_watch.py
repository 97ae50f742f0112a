"""The calendar read without being asked: each date is told when it becomes urgent, and the end of support acts.

A thing whose maker has stopped mending it goes to its end of life, where the network lets it to the controller and
nowhere else, until somebody adopts, hands over or retires it (RFC 8576 §5.5; R-77).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import date, datetime

from thingstead.analysis.calendar import Due, Urgency, calendar
from thingstead.clock import Clock
from thingstead.controller.conductor import Conductor
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.lifecycle import TRANSITIONS, Cause
from thingstead.domain.plane import Expiry, PlaneName
from thingstead.domain.ports import Committer
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit

__all__ = ["ExpiryWatch"]

_LOGGER = logging.getLogger(__name__)
_ACTOR = "calendar"
_INTERVAL = 3600.0

_Told = tuple[PlaneName, str, date, Urgency]


class ExpiryWatch:
    """Looks once an hour, and at once after a start; what was told is told again after a restart only.

    Args:
        expiries: everything that the planes watch.
        register: the things.
        conductor: takes things to their end of life.
        store: where what was told is put on the ledger.
        clock: both times.
    """

    def __init__(
        self,
        expiries: Callable[[], Iterable[Expiry]],
        register: Register,
        *,
        conductor: Conductor,
        store: Committer,
        clock: Clock,
    ) -> None:
        self._expiries = expiries
        self._register = register
        self._conductor = conductor
        self._store = store
        self._clock = clock
        self._told: frozenset[_Told] = frozenset()
        self._next = clock.now()

    async def look(self) -> None:
        """Tell what became urgent, and end support where it is over; does nothing before its hour has come.

        Raises:
            StorageError: it could not be kept; it is told at the next look.
        """
        if self._clock.now() < self._next:
            return
        at = self._clock.utc()
        await self._tell(at)
        await self._end_support(at)
        self._next = self._clock.now() + _INTERVAL

    async def _tell(self, at: datetime) -> None:
        urgent = {_name(row): row for row in calendar(self._expiries(), at=at) if row.urgency is not Urgency.LATER}
        fresh = [row for name, row in urgent.items() if name not in self._told]
        if fresh:
            await self._store.commit(Unit(entries=tuple([_draft(row, at) for row in fresh])))
        for row in fresh:
            _LOGGER.warning("%s: %s expires at %s, %d things", row.urgency, row.what, row.at, len(row.strands))
        self._told = frozenset(urgent)

    async def _end_support(self, at: datetime) -> None:
        for thing in tuple(self._register.things()):
            is_over = thing.support_end is not None and thing.support_end <= at
            if is_over and (thing.state, Cause.SUPPORT_ENDED) in TRANSITIONS:
                await self._conductor.transition(thing.id, Cause.SUPPORT_ENDED, actor=_ACTOR)


def _name(row: Due) -> _Told:
    return (row.plane, row.what, row.last_safe_day, row.urgency)


def _draft(row: Due, at: datetime) -> Draft:
    told = {
        "plane": row.plane.value,
        "what": row.what,
        "expires": row.at.isoformat(),
        "last_safe_day": row.last_safe_day.isoformat(),
        "strands": len(row.strands),
    }
    return Draft(at, Kind.ALARM, _ACTOR, None, row.urgency.name.lower(), told)
