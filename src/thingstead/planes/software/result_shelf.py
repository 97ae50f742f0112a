"""Keeps what the checks of each release came to, beside the release; the ledger has the digest of each (R-84)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from thingstead.crypto.digest import digest
from thingstead.domain import release_result
from thingstead.domain.ledger.entry import Detail
from thingstead.domain.plane import Expiry, Finding
from thingstead.domain.ports import Records
from thingstead.domain.release_result import Result, Verdict
from thingstead.domain.vouched import RESULT

__all__ = ["ResultShelf", "mark"]

_RESULT = "result/"
_MAX_UNPUBLISHED = 64
"""Of what was refused, held or taken back, the newest; the ledger keeps the digests of all."""


class ResultShelf:
    """The newest result of each release. What is to be kept goes to disk together with its ledger entry.

    Args:
        records: the plane's documents.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._kept: dict[str, bytes] = {}
        self._unpublished: dict[str, datetime] = {}
        for key, document in records.load().items():
            if key.startswith(_RESULT):
                self._take(key, document)

    def changes(self, result: Result) -> dict[str, bytes | None]:
        """What to write so that it is kept."""
        own = _RESULT + result.manifest.hex()
        others = {key: at for key, at in self._unpublished.items() if key != own}
        is_full = result.verdict is not Verdict.PUBLISHED and len(others) >= _MAX_UNPUBLISHED
        dropped: dict[str, bytes | None] = dict.fromkeys([min(others, key=others.__getitem__)] if is_full else [])
        return {**dropped, own: release_result.encode(result)}

    def take(self, changes: Mapping[str, bytes | None]) -> None:
        """They are on disk."""
        for key, document in changes.items():
            self._kept.pop(key, None)
            self._unpublished.pop(key, None)
            if document is not None:
                self._take(key, document)

    def find(self, manifest: str) -> bytes | None:
        """The result of the one release whose manifest's digest begins so; None for none or several."""
        found = [one for key, one in self._kept.items() if manifest and key.startswith(_RESULT + manifest.lower())]
        return found[0] if len(found) == 1 else None

    def expiries(self) -> Sequence[Expiry]:
        """A result stays true of its day."""
        return ()

    def findings(self, question: str) -> Sequence[Finding]:
        """What is checked, those say who check it."""
        return ()

    def snapshot(self) -> Mapping[str, bytes]:
        """All of it, for a backup."""
        return dict(self._kept)

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up what is not here."""
        fresh = {key: one for key, one in documents.items() if key.startswith(_RESULT) and key not in self._kept}
        await self._records.write(fresh)
        self.take(fresh)

    def _take(self, key: str, document: bytes) -> None:
        result = release_result.decode(document)
        self._kept[key] = document
        if result.verdict is not Verdict.PUBLISHED:
            self._unpublished[key] = result.at


def mark(result: Result) -> dict[str, Detail]:
    """What of it is in the ledger."""
    return {RESULT: digest(release_result.encode(result))}
