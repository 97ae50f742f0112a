"""What hooks into the status tracker with one line each: `checks` before a release is published, and whole `parts`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from thingstead.domain.plane import Expiry, Finding
from thingstead.planes.software.release import Release

__all__ = ["Check", "Part"]

Check = Callable[[Release], Awaitable[None]]
"""Looks at a release that is authentic and rehearsed; raises a `ThingsteadError` where it must not be published, which
goes on the ledger with its reason."""


class Part(Protocol):
    """Something of the software plane that has documents, dates or findings of its own."""

    def expiries(self) -> Sequence[Expiry]:
        """What of it will expire."""
        ...

    def findings(self, question: str) -> Sequence[Finding]:
        """What it shows for a threat, challenge or requirement."""
        ...

    def snapshot(self) -> Mapping[str, bytes]:
        """Its documents, for a backup; their keys begin with a word of its own."""
        ...

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up those among all documents of the plane that are its own and not here; before releases are offered."""
        ...
