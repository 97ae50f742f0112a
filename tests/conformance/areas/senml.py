"""Area senml: a pack in JSON or CBOR, beside it ``*.resolved.json`` where its resolved form was published.

The tool that published the resolved forms ran at the time that its "now" records show and left out
every record of a data value; so that time is ours, and those records are left out of the comparison.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.protocols.senml.pack import parse_cbor, parse_json, render_cbor, render_json
from thingstead.protocols.senml.record import Record

__all__ = ["run"]


_NOW, _LATER = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome: read, compared with the resolved form, and the same again after both of our renderings."""
    data = file.read_bytes()
    if data.lstrip().startswith(b"<"):
        yield not_covered(file.name, "SenML in XML is not implemented (RFC 8428 §7)")
        return
    parse = parse_json if data.lstrip().startswith((b"[", b"\xef\xbb\xbf")) else parse_cbor
    published = file.with_suffix(".resolved.json")
    expected = json.loads(published.read_bytes()) if published.is_file() else None
    at = _NOW
    if expected is not None:
        at = _publication(_compared(parse(data, at=_NOW)), _compared(parse(data, at=_LATER)), expected)
    records = parse(data, at=at)
    if expected is not None and [_fields(row) for row in _compared(records)] != expected:
        yield failed(file.name, f"expected {expected}, got {records}")
    elif parse_cbor(render_cbor(records), at=at) != records or parse_json(render_json(records), at=at) != records:
        yield failed(file.name, "the records do not survive our own rendering")
    else:
        yield passed(file.name)


def _compared(records: list[Record]) -> list[Record]:
    return [row for row in records if not isinstance(row.value, bytes)]


def _publication(now: list[Record], later: list[Record], expected: list[dict[str, Any]]) -> datetime:
    """When the resolved form was made: what a time that moves with ours must be moved by."""
    for ours, moved, row in zip(now, later, expected, strict=False):
        if ours.time is not None and ours.time != moved.time and "t" in row:
            return _NOW + timedelta(seconds=row["t"] - ours.time)
    return _NOW


def _fields(record: Record) -> dict[str, Any]:
    label = {bool: "vb", str: "vs"}.get(type(record.value), "v")
    fields = {"n": record.name, "u": record.unit, "t": record.time, label: record.value, **dict(record.extensions)}
    return {name: value for name, value in fields.items() if value is not None}
