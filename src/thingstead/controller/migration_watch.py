"""Writes down how far things come with their update keys, and isolates who is left with some that prove nothing."""

from __future__ import annotations

import logging

from thingstead.clock import Clock
from thingstead.controller.conductor import Conductor
from thingstead.domain.ledger.entry import Detail
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.migration import Prospect, overdue
from thingstead.domain.register import Register
from thingstead.errors import TransitionError
from thingstead.planes.software.migration import Migrations

__all__ = ["MigrationWatch"]

_LOGGER = logging.getLogger(__name__)
_ACTOR = "migration"
_CAUSE = "old-update-keys"
_INTERVAL = 3600.0


class MigrationWatch:
    """Looks at every call whether things said something, and once an hour who is past its last safe day.

    Whoever is isolated is held: it keeps its credential, and has no sessions and no network. Its owner lets it go where
    nobody else can talk to it; it has an hour then to walk, as it does at its next poll.

    Args:
        migrations: what things said.
        register: the things.
        conductor: holds them.
        clock: both times.
    """

    def __init__(self, migrations: Migrations, register: Register, *, conductor: Conductor, clock: Clock) -> None:
        self._migrations = migrations
        self._register = register
        self._conductor = conductor
        self._clock = clock
        self._next = clock.now()

    async def look(self) -> None:
        """Do both.

        Raises:
            StorageError: it could not be kept, and is done at the next look.
        """
        await self._migrations.flush()
        if self._clock.now() < self._next:
            return
        for maker in self._migrations.makers():
            _, _, plan = self._migrations.standing(maker)
            for one in () if plan is None else overdue(plan, at=self._clock.utc()):
                await self._isolate(one, maker)
        self._next = self._clock.now() + _INTERVAL

    async def _isolate(self, one: Prospect, maker: str) -> None:
        thing, day = one.candidate.thing, one.last_safe
        if self._register.thing(thing).restriction is not Restriction.NONE:
            return
        evidence: dict[str, Detail] = {"maker": maker, "last_safe_day": None if day is None else day.isoformat()}
        try:
            await self._conductor.restrict(thing, Restriction.HELD, actor=_ACTOR, cause=_CAUSE, evidence=evidence)
        except TransitionError:
            # It left, or somebody else was quicker.
            return
        _LOGGER.warning(
            "%s is isolated: it has the old update keys of %s, which prove nothing since %s", thing, maker, day
        )
