"""Records, and the arithmetic of base fields in both directions (RFC 8428 §4)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.senml.registry import LABELS, SUPPORTED_VERSIONS

__all__ = ["ABSOLUTE_TIME", "DEFAULT_LIMITS", "Limits", "Record", "Value", "compact", "resolve"]

Value = bool | int | float | str | bytes

ABSOLUTE_TIME = 1 << 28
"""A sum of times below it is relative to now; from it on, seconds since 1970 (RFC 8428 §4.5.3)."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*")
_KNOWN = frozenset(row.name for row in LABELS)
_VALUE_LABELS = ("v", "vs", "vb", "vd")
_DEFAULT_VERSION = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a peer may send as one pack.

    Attributes:
        max_bytes: size of the encoded pack.
        max_records: records of one pack.
        max_text: characters of a name, unit or text, and bytes of a data value.
    """

    max_bytes: int = 1 << 16
    max_records: int = 256
    max_text: int = 4096


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Record:
    """A resolved record (RFC 8428 §4.6): nothing of it depends on another one, or on when it is read.

    Attributes:
        name: base name and name together.
        time: seconds since 1970, always absolute.
        value: of ``v``, ``vs``, ``vb`` or ``vd``; None where there is a sum alone.
        unit: symbol, or None where the application knows it.
        sum: integral of the value over time, in unit x seconds.
        update_time: seconds until the next record at the latest.
        extensions: fields of labels that RFC 8428 does not know, in order of their labels.
        is_dated: whoever made it said when; else `time` is relative to when it came (RFC 8428 §4.5.3).
    """

    name: str
    time: float
    value: Value | None = None
    unit: str | None = None
    sum: float | None = None
    update_time: float | None = None
    extensions: tuple[tuple[str, bool | float | str], ...] = ()
    is_dated: bool = field(default=True, compare=False)

    def __post_init__(self) -> None:
        _require_name(self.name)
        if self.value is None and self.sum is None:
            raise DecodeError(f"expected a value or a sum in the record of {self.name}", spec="RFC 8428 §4.2")


def resolve(entries: Iterable[Mapping[str, Any]], *, at: datetime) -> list[Record]:
    """Apply the base fields to the records of a pack (RFC 8428 §4.6).

    Args:
        entries: records with JSON labels, each field already of its label's type.
        at: the time that relative times are relative to.

    Raises:
        DecodeError: name or value missing, or two values in one record.
        UnsupportedError: a later version of SenML, or an unknown label that must be understood.
    """
    base: dict[str, Any] = {}
    records: list[Record] = []
    version: int | None = None
    for entry in entries:
        _require_understood(entry)
        version = _checked_version(entry, version, first=not records)
        base.update({label: entry[label] for label in ("bn", "bt", "bu", "bv", "bs") if label in entry})
        records.append(_resolved(entry, base, at))
    return records


def compact(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Write resolved records with base fields where they save bytes; `resolve` gives the same records back.

    Raises:
        ValueError: a time that would read as relative.
    """
    for record in records:
        if record.time < ABSOLUTE_TIME:
            raise ValueError(f"time {record.time} of {record.name} would read as relative")
    base = _shared_base(records)
    entries = [_entry(record, base) for record in records]
    if entries:
        entries[0] = {**base, **entries[0]}
    return entries


def _resolved(entry: Mapping[str, Any], base: Mapping[str, Any], at: datetime) -> Record:
    time = _finite(base.get("bt", 0) + entry.get("t", 0))
    is_dated = time >= ABSOLUTE_TIME
    if not is_dated:
        time += at.timestamp()
    total = None
    if "s" in entry or "bs" in base:
        total = _finite(base.get("bs", 0) + entry.get("s", 0))
    return Record(
        name=base.get("bn", "") + entry.get("n", ""),
        time=time,
        value=_value(entry, base, has_sum=total is not None),
        unit=entry.get("u", base.get("bu")),
        sum=total,
        update_time=entry.get("ut"),
        extensions=tuple(
            [(label, entry[label]) for label in sorted(entry) if label not in _KNOWN and not label.startswith("b")]
        ),
        is_dated=is_dated,
    )


def _value(entry: Mapping[str, Any], base: Mapping[str, Any], *, has_sum: bool) -> Value | None:
    present = [label for label in _VALUE_LABELS if label in entry]
    if len(present) > 1:
        raise DecodeError(f"expected one value in a record, got {' and '.join(present)}", spec="RFC 8428 §4.2")
    if present and present[0] != "v":
        value: Value = entry[present[0]]
        return value
    if "bv" in base and (present or not has_sum):
        return _finite(base["bv"] + entry.get("v", 0))
    return entry["v"] if present else None


def _require_understood(entry: Mapping[str, Any]) -> None:
    for label in entry:
        if label not in _KNOWN and label.endswith("_"):
            raise UnsupportedError(f"the label {label[:40]!r} must be understood, and is not", spec="RFC 8428 §4.4")


def _checked_version(entry: Mapping[str, Any], version: int | None, *, first: bool) -> int | None:
    if "bver" not in entry:
        return version
    found: int = entry["bver"]
    if found not in SUPPORTED_VERSIONS:
        raise UnsupportedError(f"expected a SenML version up to 10, or 26, got {found}", spec="RFC 8428 §4.4")
    if not first and found != (version or _DEFAULT_VERSION):
        raise DecodeError("expected one version in all records of a pack", spec="RFC 8428 §4.4")
    return found


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise DecodeError(f"expected a name of A-Za-z0-9-:./_ , got {name[:40]!r}", spec="RFC 8428 §4.5.1")


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise DecodeError("expected a sum of base field and field within a double", spec="RFC 8428 §5")
    return value


def _shared_base(records: Sequence[Record]) -> dict[str, Any]:
    if len(records) < 2:
        return {}
    base: dict[str, Any] = {}
    prefix = _common_prefix([record.name for record in records])
    if prefix:
        base["bn"] = prefix
    start = records[0].time
    if all(start + (record.time - start) == record.time for record in records):
        base["bt"] = start
    units = {record.unit for record in records}
    if len(units) == 1 and None not in units:
        base["bu"] = records[0].unit
    return base


def _common_prefix(names: Sequence[str]) -> str:
    low, high = min(names), max(names)
    length = 0
    while length < len(low) and low[length] == high[length]:
        length += 1
    return low[:length]


def _entry(record: Record, base: Mapping[str, Any]) -> dict[str, Any]:
    label = {bool: "vb", str: "vs", bytes: "vd"}.get(type(record.value), "v")
    fields = {
        "n": record.name[len(base.get("bn", "")) :] or None,
        "u": None if "bu" in base else record.unit,
        label: record.value,
        "s": record.sum,
        "t": (record.time - base.get("bt", 0)) or None,
        "ut": record.update_time,
        **dict(record.extensions),
    }
    return {name: value for name, value in fields.items() if value is not None}
