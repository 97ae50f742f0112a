"""A store whose revocations stand in a second place too, before they count in the first (ADR 0018).

A crash between the two leaves more in the second place than was decided, never less; the next start puts that right.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator

from thingstead.controller.foundation import Foundation
from thingstead.controller.revocation import Revocations, authenticate, is_revoked, sign
from thingstead.crypto.key import PrivateKey
from thingstead.domain.ledger.entry import Draft, Entry, Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import HeadKeeper, Store
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.domain.unit import Committed, PlaneRecord, Snapshot, Unit
from thingstead.errors import StorageError
from thingstead.identifier import KeyId, ThingId

__all__ = ["SecondPlace", "epoch_of", "second_place"]

_LOGGER = logging.getLogger(__name__)
_EPOCH = "epoch"
_MOST_ENDED = 4096
"""At most 256 delegations count at one time."""


class SecondPlace:
    """A `Store` over another; what a restore must know is written beside it.

    Where the second place takes nothing, a thing is cut off all the same: that must not wait for a disk. It is told,
    and tried again at each housekeeping.
    """

    def __init__(
        self, store: Store, keeper: HeadKeeper, *, key: PrivateKey, domain: str, epoch: int, things: Iterable[Thing]
    ) -> None:
        """Compare what is kept there with `things`; `settle` writes what differs.

        Raises:
            DecodeError: what is kept there is damaged, or another domain's.
            AuthenticationError: it is of another ledger's key: this is a copy of a domain that was begun again.
        """
        self._store = store
        self._keeper = keeper
        self._key = key
        self._domain = domain
        self._epoch = epoch
        self._ended: dict[bytes, None] = {}
        self._revoked = {thing.id: thing for thing in things if is_revoked(thing)}
        self._entries = 0
        self._changes = 1
        self._written = 0
        self._writing = asyncio.Lock()
        kept = keeper.load()
        # Nobody knows what was decided while there was no second place: backups from before are held.
        self._decided = sum(1 for _ in store.leaves()) if kept is None else self._read(kept)
        self._entries = max(self._entries, self._decided)

    @property
    def is_behind(self) -> bool:
        """Whether the second place lacks something."""
        return self._written < self._changes

    def load(self) -> Snapshot:
        """As the store says."""
        return self._store.load()

    def documents(self, plane: PlaneName, first: str = "", last: str | None = None) -> Iterator[tuple[str, bytes]]:
        """As the store says."""
        return self._store.documents(plane, first, last)

    def leaves(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """As the store says."""
        return self._store.leaves(start, stop)

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """As the store does."""
        self._store.listen(listener)

    async def close(self) -> None:
        """As the store does."""
        await self._store.close()

    async def commit(self, unit: Unit) -> tuple[Entry, ...]:
        """Keep `unit`; returns when what it takes away stands in both places."""
        taken = {thing.id: thing for thing in unit.things if is_revoked(thing)}
        ended = [name for name in map(_ended_by, unit.entries) if name is not None]
        if taken or ended:
            await self._change(taken, (), ended)
        try:
            entries = await self._store.commit(unit)
        except StorageError:
            if taken:
                # More is in the second place than was decided, until the next start compares: the safe side.
                _LOGGER.warning("a decision was not kept, and stands in the second place until the next start")
            raise
        given = [thing.id for thing in unit.things if thing.id in self._revoked and not is_revoked(thing)]
        decided = [entry.index + 1 for entry in entries if _is_decision(entry)]
        if entries:
            self._entries = entries[-1].index + 1
        if given or decided:
            self._decided = max((self._decided, *decided))
            await self._change({}, given)
        return entries

    async def begin(self, epoch: int) -> None:
        """Note that the domain was begun again; once, by a restore.

        Raises:
            StorageError: the disk does not keep it.
        """
        self._epoch = epoch
        record = PlaneRecord(PlaneName.IDENTITY, _EPOCH, epoch.to_bytes(4, "big"))
        await self._store.commit(Unit(records=(record,)))
        self._changes += 1

    async def settle(self) -> None:
        """Write what the second place lacks.

        Raises:
            StorageError: it takes nothing; a restore would not know what it lacks.
        """
        if self.is_behind:
            await self._write()

    async def _change(self, taken: dict[ThingId, Thing], given: Iterable[ThingId], ended: Iterable[bytes] = ()) -> None:
        self._revoked.update(taken)
        self._ended.update(dict.fromkeys(ended))
        while len(self._ended) > _MOST_ENDED:
            del self._ended[next(iter(self._ended))]
        for thing in given:
            self._revoked.pop(thing, None)
        self._changes += 1
        try:
            await self._write()
        except StorageError:
            _LOGGER.exception("the second place lacks what was decided: a restore would not know it")

    async def _write(self) -> None:
        """Those that wait together are written together."""
        wanted = self._changes
        async with self._writing:
            if self._written >= wanted:
                return
            changes = self._changes
            things = tuple(self._revoked.values())
            ended = tuple(self._ended)
            revocations = Revocations(self._domain, self._epoch, self._entries, self._decided, things, ended)
            await self._keeper.keep(sign(revocations, self._key))
            self._written = changes

    def _read(self, kept: bytes) -> int:
        """What was decided, as kept; it need not be written again where it is what we know."""
        found = authenticate(kept, self._key.public, domain=self._domain).revocations
        self._entries = found.entries
        self._ended = dict.fromkeys(found.delegations)
        if (found.epoch, {one.id: one for one in found.things}) == (self._epoch, self._revoked):
            self._written = self._changes
        return found.decided


def _ended_by(draft: Draft) -> bytes | None:
    """The name of the delegation that an entry says is ended; None of any other entry."""
    name = draft.details.get("delegation")
    is_end = draft.kind is Kind.DELEGATION and draft.cause == "revoked" and isinstance(name, bytes)
    return name if is_end and isinstance(name, bytes) else None


def _is_decision(entry: Entry) -> bool:
    """Whether it takes away what no record of a thing tells of."""
    if entry.kind is Kind.CONFIGURATION:
        return entry.thing is None
    return entry.kind is Kind.ERASURE or (entry.kind is Kind.GROUP and entry.cause == "evicted")


def epoch_of(store: Store) -> int:
    """How often the domain was begun: 1, and one more for each restore."""
    document = next((document for _, document in store.documents(PlaneName.IDENTITY, _EPOCH, _EPOCH + "\0")), b"\x01")
    return int.from_bytes(document, "big")


def second_place(foundation: Foundation, register: Register) -> SecondPlace:
    """The foundation's store, of which a part stands elsewhere too; errors as for `SecondPlace`."""
    return SecondPlace(
        foundation.store,
        foundation.revocations,
        key=foundation.keys.handle(KeyId("ledger")),
        domain=foundation.config.domain.name,
        epoch=epoch_of(foundation.store),
        things=register.things(),
    )
