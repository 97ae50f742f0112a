"""Vulnerability records from where an owner has them: a file, a folder, or a zip of records in JSON or YAML (OSV).

Nothing is fetched. ``all.zip`` of an ecosystem, as OSV exports it, is such a zip; the records of OSS-Fuzz are YAML.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from thingstead.analysis.osv import Record, parse_record, read_record
from thingstead.errors import ConfigError, DecodeError, ProtocolError

__all__ = ["DEFAULT_LIMITS", "FeedFile", "Limits", "read_feed"]

_SUFFIXES = (".json", ".yaml", ".yml")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one import.

    Attributes:
        max_records: files that are read as records.
        max_bytes: of one record.
        max_total: bytes of all of them.
        max_events: nodes of one record in YAML.
    """

    max_records: int = 200_000
    max_bytes: int = 4 << 20
    max_total: int = 1 << 30
    max_events: int = 200_000


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class FeedFile:
    """What was read.

    Attributes:
        records: in the order of their names.
        passed_over: names of files that are no records, and why.
    """

    records: list[Record] = field(default_factory=list)
    passed_over: list[tuple[str, str]] = field(default_factory=list)


def read_feed(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> FeedFile:
    """Read every record; one that cannot be read is told, and costs the others nothing.

    Raises:
        ConfigError: nothing is there, it cannot be read, or there is more than is bearable.
    """
    found = FeedFile()
    total = 0
    try:
        for name, data in _files(path, limits):
            total += len(data)
            if len(found.records) + len(found.passed_over) >= limits.max_records or total > limits.max_total:
                raise ConfigError(
                    f"expected at most {limits.max_records} records of {limits.max_total} bytes together in {path}"
                )
            try:
                found.records.append(_record(name, data, limits))
            except ProtocolError as error:
                found.passed_over.append((name, error.message))
    except (OSError, zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ConfigError(f"cannot read records from {path}: {error}") from error
    if not found.records and not found.passed_over:
        raise ConfigError(f"expected vulnerability records (*.json, *.yaml) in {path}")
    return found


def _files(path: Path, limits: Limits) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for one in sorted(path.rglob("*")):
            if one.suffix in _SUFFIXES and one.is_file():
                with one.open("rb") as stream:
                    yield str(one.relative_to(path)), stream.read(limits.max_bytes + 1)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith(_SUFFIXES) and not member.is_dir():
                    # What the zip says of a size is not believed: it is read up to the bound.
                    with archive.open(member) as stream:
                        yield member.filename, stream.read(limits.max_bytes + 1)
    elif path.is_file():
        with path.open("rb") as stream:
            yield path.name, stream.read(limits.max_bytes + 1)
    else:
        raise ConfigError(f"expected a file, a folder or a zip of vulnerability records at {path}")


def _record(name: str, data: bytes, limits: Limits) -> Record:
    if len(data) > limits.max_bytes:
        raise DecodeError(f"expected a record of at most {limits.max_bytes} bytes", reason="osv")
    return parse_record(data) if not name.endswith((".yaml", ".yml")) else read_record(_plain(data, limits))


def _plain(data: bytes, limits: Limits) -> Any:
    """YAML without aliases: with them a few lines stand for more than any memory holds."""
    try:
        for number, event in enumerate(yaml.parse(data, Loader=_LOADER)):
            if isinstance(event, yaml.AliasEvent) or number >= limits.max_events:
                raise DecodeError(f"expected YAML without aliases, of at most {limits.max_events} nodes", reason="osv")
        return yaml.load(data, Loader=_LOADER)  # noqa: S506  a safe loader, with libyaml where there is one
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DecodeError(f"expected YAML: {error}", reason="osv") from error
