"""Operations on the ledger: read it, prove an entry, show the newest head."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from thingstead.controller.notary import Notary
from thingstead.controller.operation import Operation
from thingstead.controller.operation_thing import NoArguments
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger.entry import Entry
from thingstead.domain.ports import Store
from thingstead.domain.role import Right
from thingstead.errors import ConfigError

__all__ = ["OfEntry", "Proof", "ShowLedger", "ShownHead", "newest_first", "rows"]

_MAX_COUNT = 1000
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class ShowLedger:
    """Which entries.

    Attributes:
        count: at most so many, up to 1000.
        after: only entries with a higher number, oldest first; None for the newest ones.
        thing: only about this thing; empty for all.
        kind: only of this kind, e.g. ``refusal``; empty for all.
    """

    count: int = 20
    after: int | None = None
    thing: str = ""
    kind: str = ""

    def wants(self, entry: Entry) -> bool:
        """Whether an entry is among those asked for."""
        return (not self.thing or entry.thing == self.thing) and (not self.kind or entry.kind == self.kind)


@dataclass(frozen=True, slots=True)
class OfEntry:
    """Which entry, by number."""

    index: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What convinces somebody who holds the ledger's public key and nothing else.

    Attributes:
        entry: the entry as it reads.
        leaf: its bytes, which the receipt is over.
        size: entries in the tree that the receipt speaks of.
        receipt: COSE Receipt (RFC 9942).
    """

    entry: dict[str, Any]
    leaf: bytes
    size: int
    receipt: bytes


@dataclass(frozen=True, slots=True)
class ShownHead:
    """The newest signed head, compared with the ledger.

    Attributes:
        entries: in the ledger.
        signed: of them, those under the head.
        at: when it was signed; None before the first.
        root: over the signed ones, as hexadecimal digits.
        head: the COSE_Sign1 itself.
    """

    entries: int
    signed: int
    at: datetime | None
    root: str
    head: bytes


def rows(store: Store, notary: Notary) -> tuple[Operation[Any], ...]:
    """The table."""

    async def show(request: ShowLedger) -> list[dict[str, Any]]:
        if not 0 < request.count <= _MAX_COUNT:
            raise ConfigError(f"expected a count of 1 to {_MAX_COUNT}, got {request.count}")
        if request.kind and request.kind not in set(leaf.Kind):
            raise ConfigError(f"no kind of entry {request.kind[:40]!r}; there are {', '.join(sorted(leaf.Kind))}")
        found: list[dict[str, Any]] = []
        is_newest = request.after is None
        walk = (
            newest_first(store, notary.size) if request.after is None else _forward(store, request.after, notary.size)
        )
        async for entry in walk:
            if request.wants(entry):
                found.append(_told(entry))
                if len(found) == request.count:
                    break
        return found[::-1] if is_newest else found

    async def proof(request: OfEntry) -> Proof:
        size = notary.size
        if not 0 <= request.index < size:
            raise ConfigError(f"the ledger has {size} entries, none of number {request.index}; they count from 0")
        (bytes_,) = store.leaves(request.index, request.index + 1)
        return Proof(_told(leaf.decode(bytes_)), bytes_, size, notary.receipt(request.index))

    async def head(_request: NoArguments) -> ShownHead:
        newest = notary.newest_head()
        if newest is None:
            return ShownHead(notary.size, 0, None, "", b"")
        signed = newest.head
        return ShownHead(notary.size, signed.size, signed.at, signed.root.hex(), newest.encoded)

    return (
        Operation("ledger.show", ShowLedger, Right.AUDIT, "entries of the ledger, the newest last", show),
        Operation("ledger.proof", OfEntry, Right.AUDIT, "a receipt that an entry is in the ledger", proof),
        Operation("ledger.head", NoArguments, Right.AUDIT, "the newest signed head, compared with the ledger", head),
    )


async def _forward(store: Store, after: int, size: int) -> AsyncIterator[Entry]:
    for start in range(max(0, after + 1), size, _CHUNK):
        for one in store.leaves(start, min(start + _CHUNK, size)):
            yield leaf.decode(one)
        await asyncio.sleep(0)


async def newest_first(store: Store, size: int) -> AsyncIterator[Entry]:
    """From the newest on; a long ledger is read piece by piece, so that things are served meanwhile."""
    for stop in range(size, 0, -_CHUNK):
        for one in reversed(list(store.leaves(max(0, stop - _CHUNK), stop))):
            yield leaf.decode(one)
        await asyncio.sleep(0)


def _told(entry: Entry) -> dict[str, Any]:
    details = {name: item.hex() if isinstance(item, bytes) else item for name, item in entry.details.items()}
    return {
        "index": entry.index,
        "at": entry.at,
        "kind": entry.kind.value,
        "thing": entry.thing,
        "cause": entry.cause,
        "actor": entry.actor,
        "details": details,
    }
