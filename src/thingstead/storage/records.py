"""One plane's window on the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from thingstead.domain.ledger.entry import Draft
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Committer
from thingstead.domain.unit import PlaneRecord, Snapshot, Unit

__all__ = ["PlaneRecords"]


class PlaneRecords:
    """`Records` of `plane` over a store: no key of another plane can be named through it.

    With a `prefix`, parts of one plane that know nothing of each other share its table.
    """

    def __init__(self, plane: PlaneName, store: Committer, *, snapshot: Snapshot, prefix: str = "") -> None:
        self._plane = plane
        self._store = store
        self._snapshot = snapshot
        self._prefix = prefix

    def load(self) -> Mapping[str, bytes]:
        """The plane's documents as they stood at start."""
        documents = self._snapshot.records.get(self._plane, {})
        size = len(self._prefix)
        return {key[size:]: document for key, document in documents.items() if key.startswith(self._prefix)}

    async def write(self, changes: Mapping[str, bytes | None], *, entries: Sequence[Draft] = ()) -> None:
        """Keep documents and entries in one unit."""
        records = tuple([PlaneRecord(self._plane, self._prefix + key, document) for key, document in changes.items()])
        await self._store.commit(Unit(records=records, entries=tuple(entries)))
