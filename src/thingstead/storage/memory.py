"""The store without a disk: the verified fake that tests and simulations run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Entry
from thingstead.domain.plane import Obligation, PlaneName
from thingstead.domain.thing import Thing
from thingstead.domain.unit import Committed, Snapshot, Unit
from thingstead.errors import StorageError
from thingstead.identifier import ThingId, TransitionId

__all__ = ["MemoryStore"]


class MemoryStore:
    """A `Store` that forgets with its process."""

    def __init__(self) -> None:
        self._things: dict[ThingId, Thing] = {}
        self._records: dict[PlaneName, dict[str, bytes]] = {plane: {} for plane in PlaneName}
        self._leaves: list[bytes] = []
        self._obligations: dict[tuple[TransitionId, PlaneName], Obligation] = {}
        self._heads: dict[int, bytes] = {}
        self._listeners: list[Callable[[Committed], None]] = []

    def load(self) -> Snapshot:
        """Copies of what is held."""
        return Snapshot(
            things=tuple(self._things.values()),
            obligations=tuple(self._obligations.values()),
        )

    def documents(self, plane: PlaneName, first: str = "", last: str | None = None) -> Iterator[tuple[str, bytes]]:
        """The documents between `first` and `last`, as they stand when asked for."""
        for key, document in sorted(self._records[plane].items()):
            if first <= key and (last is None or key < last):
                yield key, document

    def leaves(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The leaves between `start` and `stop`."""
        yield from self._leaves[start:stop]

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Tell `listener` of every unit."""
        self._listeners.append(listener)

    async def commit(self, unit: Unit) -> tuple[Entry, ...]:
        """Check all of `unit`, then take all of it."""
        self._check(unit)
        first = len(self._leaves)
        entries = tuple([draft.numbered(first + place) for place, draft in enumerate(unit.entries)])
        committed = Committed(unit, entries, tuple([entry.encode(one) for one in entries]))
        self._take(committed)
        for listener in self._listeners:
            listener(committed)
        return entries

    async def close(self) -> None:
        """Nothing is waiting."""

    def _check(self, unit: Unit) -> None:
        versions = {thing: record.version for thing, record in self._things.items()}
        for thing in unit.things:
            if thing.version != versions.get(thing.id, 0) + 1:
                raise StorageError(f"expected the version after {versions.get(thing.id, 0)} of {thing.id}")
            versions[thing.id] = thing.version
        still_open = set(self._obligations)
        for owed in unit.settled:
            if (owed.transition_id, owed.plane) not in still_open:
                raise StorageError(f"{owed.plane} owes nothing to {owed.transition_id}")
            still_open.remove((owed.transition_id, owed.plane))
        for owed in unit.opened:
            if (owed.transition_id, owed.plane) in still_open:
                raise StorageError(f"{owed.plane} owes to {owed.transition_id} already")
            still_open.add((owed.transition_id, owed.plane))

    def _take(self, committed: Committed) -> None:
        unit = committed.unit
        self._things.update({thing.id: thing for thing in unit.things})
        for record in unit.records:
            if record.document is None:
                self._records[record.plane].pop(record.key, None)
            else:
                self._records[record.plane][record.key] = record.document
        for owed in unit.settled:
            del self._obligations[owed.transition_id, owed.plane]
        self._obligations.update({(owed.transition_id, owed.plane): owed for owed in unit.opened})
        self._heads.update({head.size: head.document for head in unit.heads})
        self._leaves.extend(committed.leaves)
