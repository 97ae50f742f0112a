"""Notes on the ledger that the owner changed who may ask: what was taken out must not come back by a restore (R-62)."""

from __future__ import annotations

from typing import Protocol

from thingstead.clock import Clock
from thingstead.crypto.digest import digest
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Store
from thingstead.domain.unit import PlaneRecord, Unit
from thingstead.errors import ConfigError

__all__ = ["OperatorWatch"]

_NOTED = "operators"


class Written(Protocol):
    """Where the owner writes who may ask."""

    def operators_text(self) -> str:
        """As it is written; raises `ConfigError` where it cannot be read."""
        ...


class OperatorWatch:
    """Looks at the file `operators`, which is changed by hand; to be called again and again.

    Args:
        files: where it is.
        store: where the change is put on the ledger, which makes it a decision that a restore asks about (ADR 0018).
        clock: for UTC.
    """

    def __init__(self, files: Written, store: Store, *, clock: Clock) -> None:
        self._files = files
        self._store = store
        self._clock = clock
        documents = store.documents(PlaneName.IDENTITY, _NOTED, _NOTED + "\0")
        self._noted = next((document for _, document in documents), digest(b""))

    async def look(self) -> None:
        """Note a change.

        Raises:
            StorageError: it could not be noted, and is when this is called again.
        """
        try:
            found = digest(self._files.operators_text().encode())
        except ConfigError:
            return
        if found != self._noted:
            entry = Draft(self._clock.utc(), Kind.CONFIGURATION, "owner", None, "operators", {"sha256": found})
            record = PlaneRecord(PlaneName.IDENTITY, _NOTED, found)
            await self._store.commit(Unit(records=(record,), entries=(entry,)))
            self._noted = found
