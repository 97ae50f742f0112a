"""Area senml: a pack in JSON, beside it ``*.resolved.json`` where its resolved form was published.

The tool that published the resolved forms ran at the time that its "now" records show and left out
every record of a data value; so that time is ours, and those records are left out of the comparison.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.conformance.outcome import ManifestEntry, Outcome, failed, passed
from thingstead.protocols.senml.pack import parse_cbor, parse_json, render_cbor, render_json
from thingstead.protocols.senml.record import Record

__all__ = ["run"]


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome: read, compared with the resolved form, and the same again after both of our renderings."""
    published = file.with_suffix(".resolved.json")
    expected = json.loads(published.read_bytes()) if published.is_file() else None
    at = datetime.fromtimestamp(expected[0]["t"] if expected else 0, UTC)
    records = parse_json(file.read_bytes(), at=at)
    if expected is not None and [_fields(row) for row in records if not isinstance(row.value, bytes)] != expected:
        yield failed(file.name, f"expected {expected}, got {records}")
    elif parse_cbor(render_cbor(records), at=at) != records or parse_json(render_json(records), at=at) != records:
        yield failed(file.name, "the records do not survive our own rendering")
    else:
        yield passed(file.name)


def _fields(record: Record) -> dict[str, Any]:
    label = {bool: "vb", str: "vs"}.get(type(record.value), "v")
    fields = {"n": record.name, "u": record.unit, "t": record.time, label: record.value, **dict(record.extensions)}
    return {name: value for name, value in fields.items() if value is not None}
