"""Watches what things do after an update: what no rule allows, and nobody announced, is an alarm (R-30)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from thingstead.analysis.behaviour import Behaviour
from thingstead.clock import Clock
from thingstead.controller.standing import GONE
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.ports import Committer
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit
from thingstead.identifier import ThingId
from thingstead.planes.network.alarm import Alarm, AlarmKind
from thingstead.planes.software.software_record import SoftwareRecord

__all__ = ["BehaviourWatch"]

_ACTOR = "plane:network"


class BehaviourWatch:
    """Reads the network plane's counters for it, and holds them against installations.

    Args:
        watch: has the counters looked at; returns what no rule allowed.
        register: the things.
        runs: what a thing runs.
        store: with the ledger.
        clock: for UTC.

    Attributes:
        watched: installations since the start.
    """

    def __init__(
        self,
        watch: Callable[[], Awaitable[tuple[Alarm, ...]]],
        register: Register,
        *,
        runs: Callable[[ThingId], SoftwareRecord],
        store: Committer,
        clock: Clock,
    ) -> None:
        self._watch = watch
        self._register = register
        self._runs = runs
        self._store = store
        self._clock = clock
        self._behaviour = Behaviour()
        self.watched = 0

    def note(self, thing: ThingId) -> None:
        """A thing says that it runs another release."""
        self.watched += 1
        self._behaviour.installed(thing, self._runs(thing).version, self._clock.utc())

    async def look(self) -> None:
        """Look at the counters; a change is on the ledger when this returns.

        Raises:
            StorageError: it is not.
        """
        for alarm in await self._watch():
            if alarm.kind is AlarmKind.DEVIATION and alarm.thing is not None:
                self._behaviour.refused(alarm.thing, alarm.at)
        for thing in self._register.things():
            if thing.state in GONE:
                self._behaviour.forget(thing.id)
        now = self._clock.utc()
        drafts = []
        for change in self._behaviour.compare(now):
            details: dict[str, Detail] = {
                "version": change.version,
                "since": change.since.isoformat(),
                "minutes_before": change.before,
                "minutes_after": change.after,
            }
            drafts.append(Draft(now, Kind.ALARM, _ACTOR, change.thing, "new-behaviour", details))
        if drafts:
            await self._store.commit(Unit(entries=tuple(drafts)))
