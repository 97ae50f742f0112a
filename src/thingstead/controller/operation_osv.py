"""Operations on known vulnerabilities: take records up, and see which things they are about."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thingstead.analysis.osv import Record
from thingstead.controller.operation import Acting, Operation
from thingstead.controller.software_engine import RemoteTracker
from thingstead.controller.vulnerability_watch import VulnerabilityWatch
from thingstead.domain.role import Right
from thingstead.planes.software.status_tracker import StatusTracker
from thingstead.storage.osv_source import read_feed

__all__ = ["ImportRecords", "ListExposures", "rows"]

_BATCH_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ImportRecords(Acting):
    """Records of known vulnerabilities, in the schema of OSV.

    Attributes:
        path: of a file, a folder or a zip of them on the controller's machine, JSON or YAML.
    """

    path: str


@dataclass(frozen=True, slots=True)
class ListExposures:
    """Known vulnerabilities of things.

    Attributes:
        thing: of one alone; empty for all.
    """

    thing: str = ""


def rows(tracker: StatusTracker | RemoteTracker, watch: VulnerabilityWatch) -> tuple[Operation[Any], ...]:
    """The table."""

    async def take(request: ImportRecords) -> dict[str, Any]:
        found = await asyncio.to_thread(read_feed, Path(request.path))
        known = 0
        for batch in _batches(found.records):
            known = await tracker.take_records(batch)
        await watch.imported(len(found.records), actor=request.by)
        acted = await watch.look()
        return {
            "read": len(found.records),
            "passed_over": len(found.passed_over),
            "first_passed_over": ": ".join(found.passed_over[0])[:200] if found.passed_over else "",
            "known": known,
            "tickets": acted.tickets,
            "quarantined": acted.quarantined,
        }

    async def listing(request: ListExposures) -> list[dict[str, Any]]:
        found = await tracker.exposures()
        return [
            {
                "thing": one.thing,
                "version": one.version,
                "id": one.id,
                "aliases": list(one.aliases),
                "component": one.component,
                "severity": one.severity.name.lower(),
                "certain": one.is_certain,
                "because": one.because,
                "summary": one.summary,
            }
            for one in found
            if request.thing in {"", one.thing}
        ]

    return (
        Operation(
            "osv.import",
            ImportRecords,
            Right.OWN,
            "take up records of known vulnerabilities, and act on things that they are about",
            take,
        ),
        Operation("osv.list", ListExposures, Right.AUDIT, "known vulnerabilities of software that things run", listing),
    )


def _batches(records: Sequence[Record]) -> Iterator[tuple[bytes, ...]]:
    """What goes over to an engine at one time."""
    batch: list[bytes] = []
    size = 0
    for record in records:
        encoded = record.encode()
        if batch and size + len(encoded) > _BATCH_BYTES:
            yield tuple(batch)
            batch, size = [], 0
        batch.append(encoded)
        size += len(encoded)
    if batch:
        yield tuple(batch)
