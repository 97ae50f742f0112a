"""The operation that shows what the checks of a release came to, with the ledger's signature on it (R-84)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.controller.notary import Notary
from thingstead.controller.operation import Operation
from thingstead.controller.operation_ledger import newest_first
from thingstead.controller.operation_publication import OfManifest
from thingstead.controller.software_engine import RemoteTracker
from thingstead.crypto.digest import digest
from thingstead.domain import vouched
from thingstead.domain.ports import Store
from thingstead.domain.role import Right
from thingstead.domain.vouched import RESULT
from thingstead.errors import ConfigError, StorageError
from thingstead.planes.software.status_tracker import StatusTracker

__all__ = ["ShownResult", "proved", "rows"]


@dataclass(frozen=True, slots=True)
class ShownResult:
    """What convinces somebody who holds the ledger's public key and nothing else.

    Attributes:
        entry: number of the ledger entry that holds its digest.
        result: what the checks came to, alone.
        signed: the file for others (`domain.vouched`).
    """

    entry: int
    result: bytes
    signed: bytes


def rows(tracker: StatusTracker | RemoteTracker, store: Store, notary: Notary) -> tuple[Operation[Any], ...]:
    """The table."""

    async def show(request: OfManifest) -> ShownResult:
        encoded = tracker.result(request.manifest)
        if encoded is None:
            raise ConfigError("expected how the digest begins of the manifest of one release that was checked here")
        return await proved(encoded, store, notary)

    return (Operation("release.result", OfManifest, Right.AUDIT, "what the checks of a release came to", show),)


async def proved(encoded: bytes, store: Store, notary: Notary) -> ShownResult:
    """A result with the ledger entry that holds its digest, and a receipt of that.

    Raises:
        StorageError: the ledger has none.
    """
    meant = digest(encoded)
    async for entry in newest_first(store, notary.size):
        if entry.details.get(RESULT) == meant:
            (leaf,) = store.leaves(entry.index, entry.index + 1)
            signed = vouched.enclose(encoded, leaf, notary.receipt(entry.index))
            return ShownResult(entry.index, encoded, signed)
    raise StorageError("the ledger has no entry of this result; it was taken from another domain's backup")
