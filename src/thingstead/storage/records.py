"""One plane's window on the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from thingstead.domain.ledger.entry import Draft
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Store
from thingstead.domain.unit import PlaneRecord, Unit

__all__ = ["HERE", "OF_HOST", "TAKEN", "PlaneRecords", "move", "taken"]

TAKEN = "~taken"
"""Key of what the controller's store keeps of a plane whose documents are in a store of its own: see `taken`."""

OF_HOST = "~"
"""What the keys of documents begin with that a host keeps beside its engine's."""

HERE = "@"
"""What the keys of documents begin with that stay with the controller, wherever their plane's engine is."""

_BATCH = 500


class PlaneRecords:
    """`Archive` of `plane` over a store: no key of another plane can be named through it.

    With a `prefix`, parts of one plane that know nothing of each other share its table.
    """

    def __init__(self, plane: PlaneName, store: Store, *, prefix: str = "") -> None:
        self._plane = plane
        self._store = store
        self._prefix = prefix

    def load(self) -> Mapping[str, bytes]:
        """All documents under the prefix."""
        size = len(self._prefix)
        last = self._prefix[:-1] + chr(ord(self._prefix[-1]) + 1) if self._prefix else None
        return {key[size:]: document for key, document in self._store.documents(self._plane, self._prefix, last)}

    def scan(self, first: str, last: str) -> Iterator[tuple[str, bytes]]:
        """The documents between two keys, in order."""
        size = len(self._prefix)
        for key, document in self._store.documents(self._plane, self._prefix + first, self._prefix + last):
            yield key[size:], document

    def read(self, key: str) -> bytes | None:
        """One document."""
        name = self._prefix + key
        return next((document for _, document in self._store.documents(self._plane, name, name + "\0")), None)

    async def write(self, changes: Mapping[str, bytes | None], *, entries: Sequence[Draft] = ()) -> None:
        """Keep documents and entries in one unit."""
        records = tuple([PlaneRecord(self._plane, self._prefix + key, document) for key, document in changes.items()])
        await self._store.commit(Unit(records=records, entries=tuple(entries)))


async def move(plane: PlaneName, source: Store, target: Store, *, prefixes: Sequence[str] = ("",)) -> None:
    """Bring a plane's documents into another store; what is cut off goes on when it is called again.

    Args:
        plane: whose.
        source: where they are.
        target: where they shall be.
        prefixes: what the keys of those that are meant begin with.

    Raises:
        StorageError: a disk does not keep it.
    """

    def meant() -> Iterator[tuple[str, bytes]]:
        rows = (row for row in source.documents(plane) if row[0].startswith(tuple(prefixes)) and row[0] != TAKEN)
        return (row for row in rows if not row[0].startswith(HERE))

    while batch := list(islice(meant(), _BATCH)):
        await target.commit(Unit(records=tuple([PlaneRecord(plane, *row) for row in batch])))
        await source.commit(Unit(records=tuple([PlaneRecord(plane, key, None) for key, _ in batch])))


def taken(store: Store, plane: PlaneName) -> int:
    """How many entries are on the ledger of those that a plane in a process of its own has written for it."""
    document = next((document for _, document in store.documents(plane, TAKEN, TAKEN + "\0")), bytes(8))
    return int.from_bytes(document, "big")
