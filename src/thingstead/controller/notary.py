"""The notary: follows the ledger with its tree, signs heads of it, and keeps them where the ledger is not.

It also writes down, minute by minute, the refusals that were counted meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Never

from thingstead.clock import Clock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey
from thingstead.domain.ledger import head
from thingstead.domain.ledger.head import SignedHead, TreeHead
from thingstead.domain.ledger.refusal import RefusalCounter
from thingstead.domain.ledger.tree import MerkleTree
from thingstead.domain.ports import HeadKeeper, Store, Witness
from thingstead.domain.unit import Committed, HeadRecord, Unit
from thingstead.errors import StorageError
from thingstead.protocols.receipts import receipt
from thingstead.protocols.receipts.receipt import InclusionProof

__all__ = ["Notary"]


class Notary:
    """Signs only what is on disk, so that a head kept outside is never ahead of an honest ledger."""

    def __init__(
        self,
        store: Store,
        keeper: HeadKeeper,
        *,
        key: PrivateKey,
        domain: str,
        clock: Clock,
        signature_id: int = AlgorithmId.ESP256,
        refusals: RefusalCounter | None = None,
        witness: Witness | None = None,
    ) -> None:
        """Read the ledger, compare it with the head kept outside, and follow it from here on.

        Raises:
            StorageError: the ledger is shorter than that head, or is not what it was signed over.
            SecurityError: the head is not of this ledger's key.
        """
        self._store = store
        self._keeper = keeper
        self._key = key
        self._domain = domain
        self._clock = clock
        self._signature_id = signature_id
        self._refusals = refusals or RefusalCounter()
        self._witness = witness
        self._sealing = asyncio.Lock()
        self._tree = MerkleTree(store.leaves)
        for leaf in store.leaves():
            self._tree.append(leaf)
        self._sealed = self._kept_size()
        store.listen(self._follow)

    @property
    def size(self) -> int:
        """Entries on disk."""
        return self._tree.size

    @property
    def sealed(self) -> int:
        """Entries under the newest head."""
        return self._sealed

    async def seal(self) -> bytes | None:
        """Sign the ledger as it stands, and keep the head in both places; None if nothing came since."""
        async with self._sealing:
            return await self._seal()

    async def run(self, interval: float = 1.0, *, wait: Callable[[float], Awaitable[None]] = asyncio.sleep) -> Never:
        """Write down refusals and seal every `interval` seconds, for as long as the controller lives."""
        while True:
            await wait(interval)
            await self._write_refusals(self._clock.utc())
            await self.seal()

    async def close(self) -> None:
        """Write down what was refused up to now, and seal; the store comes after."""
        await self._write_refusals(self._clock.utc() + timedelta(minutes=1))
        await self.seal()

    def receipt(self, index: int) -> bytes:
        """A COSE Receipt that entry `index` is in the ledger as it stands (RFC 9942 §5.2.1)."""
        self._show()
        proof = InclusionProof(self._tree.size, index, self._tree.inclusion_path(index))
        return receipt.issue(self._tree.root(), proof, self._key, signature_id=self._signature_id)

    def newest_head(self) -> SignedHead | None:
        """The head kept outside, compared with the ledger as it stands; None before the first.

        Raises:
            StorageError: the ledger is shorter than that head, or is not what it was signed over.
            SecurityError: the head is not of this ledger's key.
            DecodeError: the head is damaged.
        """
        kept = self._keeper.load()
        if kept is None:
            return None
        signed = head.authenticate(kept, self._key.public, domain=self._domain)
        size, root = signed.head.size, signed.head.root
        if size > self._tree.size:
            raise StorageError(f"the ledger has {self._tree.size} entries; a head was signed over {size}")
        if root != self._tree.root(size):
            raise StorageError(f"the first {size} ledger entries are not those that were signed; verify it")
        return signed

    async def _seal(self) -> bytes | None:
        size = self._tree.size
        if size == self._sealed:
            return None
        self._show()
        signed = head.sign(
            TreeHead(size, self._tree.root(), self._clock.utc(), self._domain),
            self._key,
            signature_id=self._signature_id,
        )
        await self._store.commit(Unit(heads=(HeadRecord(size, signed),)))
        await self._keeper.keep(signed)
        self._sealed = size
        return signed

    def _show(self) -> None:
        """Let who holds the key see that the ledger only grew."""
        if self._witness is None:
            return
        first, size = self._witness.size(), self._tree.size
        path = self._tree.consistency_path(first, size) if 0 < first <= size else ()
        self._witness.extend(size, self._tree.root(), path)

    async def _write_refusals(self, at: datetime) -> None:
        drafts = self._refusals.due(at)
        if drafts:
            await self._store.commit(Unit(entries=drafts))

    def _follow(self, committed: Committed) -> None:
        for leaf in committed.leaves:
            self._tree.append(leaf)

    def _kept_size(self) -> int:
        kept = self.newest_head()
        return 0 if kept is None else kept.head.size
