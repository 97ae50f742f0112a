"""Acts on an identity that lives twice: both are cut off, as neither can be told from the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Never

from thingstead.analysis.clone import Clone, Sightings
from thingstead.clock import Clock
from thingstead.controller.conductor import Conductor
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.lifecycle import Cause, Restriction
from thingstead.domain.ports import Store
from thingstead.domain.unit import Committed, Unit
from thingstead.endpoint.event import Address
from thingstead.errors import ThingsteadError, TransitionError
from thingstead.identifier import ThingId

__all__ = ["CloneWatch"]

_LOGGER = logging.getLogger(__name__)
_ACTOR = "clone-watch"
_CAUSE = "clone"
_RETRY = 1.0


class CloneWatch:
    """Follows the ledger for joins and is told of verified messages (`heard`); quarantines what `Sightings` finds.

    Args:
        conductor: quarantines.
        store: the ledger.
        receives_at: whether a thing was seen to receive at an address; whoever carries its messages away can send them
            on from anywhere, and must not make two of it.
        clock: both times.

    Attributes:
        found: identities that were found to live twice, since our start.
        listeners: who else is told whose message verified.
    """

    def __init__(
        self, conductor: Conductor, *, store: Store, receives_at: Callable[[ThingId, Address], bool], clock: Clock
    ) -> None:
        self._conductor = conductor
        self._store = store
        self._receives_at = receives_at
        self._clock = clock
        self._sightings = Sightings()
        self._suspects: dict[ThingId, Clone] = {}
        self._waiting = asyncio.Event()
        self.found = 0
        self.listeners: list[Callable[[ThingId], None]] = []
        store.listen(self._follow)

    def _follow(self, committed: Committed) -> None:
        """Take up joins, once they are on disk."""
        for entry in committed.entries:
            if entry.kind is Kind.TRANSITION and entry.cause == Cause.JOINED and entry.thing is not None:
                self._sightings.joined(entry.thing)

    def heard(self, thing: ThingId, source: Address) -> None:
        """A message of the thing verified."""
        for listener in self.listeners:
            listener(thing)
        if not self._sightings.has_moved(thing, source) or not self._receives_at(thing, source):
            return
        clone = self._sightings.heard(thing, source, now=self._clock.now())
        if clone is not None:
            self._sightings.forget(thing)
            self._suspects[thing] = clone
            self._waiting.set()

    async def run(self) -> Never:
        """Act for as long as the controller lives."""
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            for thing, clone in tuple(self._suspects.items()):
                try:
                    await self._act(thing, clone)
                except ThingsteadError:
                    _LOGGER.exception("%s lives twice and could not be cut off; it is tried again", thing)
                    await asyncio.sleep(_RETRY)
                    self._waiting.set()
                else:
                    del self._suspects[thing]

    async def _act(self, thing: ThingId, clone: Clone) -> None:
        places = ", ".join(str(place) for place in dict.fromkeys(clone.places))
        details: dict[str, Detail] = {"how": clone.how, "places": places, "milliseconds": round(clone.seconds * 1000)}
        _LOGGER.error("%s lives twice: %s in turn from %s", thing, clone.how, places)
        await self._store.commit(Unit(entries=(Draft(self._clock.utc(), Kind.ALARM, _ACTOR, thing, _CAUSE, details),)))
        self.found += 1
        try:
            await self._conductor.restrict(thing, Restriction.QUARANTINED, actor=_ACTOR, cause=_CAUSE, evidence=details)
        except TransitionError:
            # Somebody was faster: it is cut off already, or gone.
            _LOGGER.info("%s was cut off already", thing)
