"""What a plane in a process of its own has for the ledger: written there with its documents, and put here once.

The plane's store numbers it; which number was taken last stands in the same commit as the entries, so that neither a
crash here nor one there loses an entry or repeats it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Store
from thingstead.domain.unit import PlaneRecord, Unit
from thingstead.errors import ForbiddenError
from thingstead.storage.records import TAKEN, taken

__all__ = ["Outbox"]


class Outbox:
    """The entries of one plane.

    Args:
        plane: whose.
        store: with the ledger.
        fetch: its entries from a number on, at least one if there is one.
    """

    def __init__(self, plane: PlaneName, store: Store, *, fetch: Callable[[int], Awaitable[Sequence[bytes]]]) -> None:
        self._plane = plane
        self._store = store
        self._fetch = fetch
        self._taken = taken(store, plane)
        self._taking = asyncio.Lock()

    async def take(self, entries: int) -> None:
        """Put on the ledger what is not there of the first `entries`.

        Raises:
            ForbiddenError: one that is not this plane's to write.
            StorageError: it was not kept.
        """
        while self._taken < entries:
            async with self._taking:
                if self._taken >= entries:
                    return
                leaves = await self._fetch(self._taken)
                if not leaves:
                    raise ForbiddenError(f"the {self._plane} plane has lost what it wrote", reason="engine")
                drafts = tuple([self._draft(one) for one in leaves])
                following = self._taken + len(drafts)
                record = PlaneRecord(self._plane, TAKEN, following.to_bytes(8, "big"))
                await self._store.commit(Unit(records=(record,), entries=drafts))
                self._taken = following

    def _draft(self, one: bytes) -> Draft:
        read = leaf.decode(one)
        if read.kind not in _KINDS[self._plane]:
            raise ForbiddenError(f"the {self._plane} plane writes no {read.kind} on the ledger", reason="engine")
        return Draft(read.at, read.kind, read.actor, read.thing, read.cause, read.details)


_KINDS: dict[PlaneName, frozenset[Kind]] = {
    PlaneName.IDENTITY: frozenset({Kind.ISSUE, Kind.REVOCATION}),
    PlaneName.ACCESS: frozenset({Kind.ISSUE, Kind.REVOCATION}),
    PlaneName.GROUPS: frozenset({Kind.GROUP}),
    PlaneName.SOFTWARE: frozenset({Kind.RELEASE, Kind.REFUSAL, Kind.INSTALLATION, Kind.FAILURE}),
    PlaneName.NETWORK: frozenset({Kind.NETWORK_POLICY}),
    PlaneName.DATA: frozenset({Kind.DISCLOSURE, Kind.ERASURE}),
}
"""What a plane has to say; whoever took its process says no more."""
