"""Looks for what is forgotten: things that fell silent, that nobody mends, and who is on their network unasked."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta

from thingstead.analysis.neglect import Neglect, Neglected, neglected, strangers
from thingstead.clock import Clock
from thingstead.controller.config import WatchConfig
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.network import ThingAddress
from thingstead.domain.ports import Committer, Segment
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit
from thingstead.identifier import ThingId

__all__ = ["Attention"]

_LOGGER = logging.getLogger(__name__)
_ACTOR = "watch"


class Attention:
    """Flags what R-12 calls forgotten; who is flagged anew is told to the ledger once.

    Args:
        config: how long silence may last, and who is no stranger.
        register: the things.
        last_acceptance: when a message of a thing last verified; None if none did since our start.
        interval: how often a thing's series are declared to come; None where nobody said.
        places: where things are.
        present: things that prove nothing, and are on the segment now: nothing else can be heard of them.
        segment: who else is there.
        store: for the ledger.
        clock: UTC; what was never heard is waited for from now on.

    Attributes:
        counts: what the last look found.
    """

    def __init__(
        self,
        config: WatchConfig,
        register: Register,
        *,
        last_acceptance: Callable[[ThingId], datetime | None],
        interval: Callable[[ThingId], timedelta | None],
        places: Callable[[], Iterable[ThingAddress]],
        present: Callable[[], Collection[ThingId]],
        segment: Segment,
        store: Committer,
        clock: Clock,
    ) -> None:
        self._longest = timedelta(seconds=config.interval_seconds)
        self._intervals = config.silent_intervals
        self._known = frozenset([bytes.fromhex(mac.replace(":", "")) for mac in config.known])
        self._register = register
        self._last_acceptance = last_acceptance
        self._interval = interval
        self._places = places
        self._present = present
        self._segment = segment
        self._store = store
        self._clock = clock
        self._started = clock.utc()
        self._seen: dict[ThingId, datetime] = {}
        self._told: frozenset[tuple[Neglect, ThingId]] = frozenset()
        self.counts: Counter[Neglect] = Counter()

    def look(self) -> tuple[Neglected, ...]:
        """Everything that is forgotten now."""
        at = self._clock.utc()
        self._seen |= dict.fromkeys(self._present(), at)
        found = neglected(
            self._register.things(),
            last_heard=self._last_heard,
            interval=lambda thing: self._interval(thing) or self._longest,
            intervals=self._intervals,
            at=at,
        )
        found += strangers(self._segment.neighbours(), places=self._places(), known=self._known)
        self.counts = Counter([one.neglect for one in found])
        return found

    async def watch(self) -> None:
        """Look, and tell the ledger of things that were not forgotten at the last look.

        Strangers are not told to it: who invents link-layer addresses would fill it.
        """
        now = {(one.neglect, one.thing): one for one in self.look() if one.thing is not None}
        fresh = [one for name, one in now.items() if name not in self._told]
        if fresh:
            await self._store.commit(Unit(entries=tuple(self._drafts(fresh))))
            _LOGGER.warning("%d things are silent or unsupported: `thingstead thing forgotten`", len(now))
        self._told = frozenset(now)

    def _drafts(self, fresh: Iterable[Neglected]) -> list[Draft]:
        at = self._clock.utc()
        return [Draft(at, Kind.NEGLECT, _ACTOR, one.thing, one.neglect.value, {"seen": one.detail}) for one in fresh]

    def _last_heard(self, thing: ThingId) -> datetime:
        """Since our start; a thing that joined later is waited for from then on."""
        heard, joined = self._last_acceptance(thing) or self._seen.get(thing), self._register.thing(thing).joined_at
        return max(self._started, heard or self._started, joined or self._started)
