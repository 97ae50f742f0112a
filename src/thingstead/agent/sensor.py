"""What a thing reports: live figures of the host it runs on, or rows of a recorded file."""

from __future__ import annotations

import csv
import lzma
import os
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TextIO

from thingstead.errors import ConfigError
from thingstead.protocols.senml.record import Record

__all__ = ["FileSensor", "HostSensor"]

_MAX_COLUMNS = 32


class HostSensor:
    """Load, free memory, temperature and received bytes of this machine, as the kernel tells them now."""

    def read(self, at: datetime) -> list[Record]:
        """One reading; what the machine has no sensor for is left out."""
        time = at.timestamp()
        records = [Record(name="load", value=os.getloadavg()[0], time=time)]
        memory = _memory_available()
        if memory is not None:
            records.append(Record(name="memory", unit="B", value=memory, time=time))
        temperature = _temperature()
        if temperature is not None:
            records.append(Record(name="temperature", unit="Cel", value=temperature, time=time))
        received = _received_bytes()
        if received is not None:
            records.append(Record(name="received", unit="B", value=received, time=time))
        return records


class FileSensor:
    """Rows of a CSV file, plain or ``.xz``, one per reading, around again at its end; numbers only.

    Raises:
        ConfigError: the file cannot be read, or holds no number.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = self._read_rows()
        first = next(self._rows, None)
        if first is None:
            raise ConfigError(f"expected numbers under column names in {path}")
        self._next: dict[str, float] = first

    def read(self, at: datetime) -> list[Record]:
        """The next row, under the time of reading."""
        row = self._next
        following = next(self._rows, None)
        if following is None:
            self._rows = self._read_rows()
            following = next(self._rows, row)
        self._next = following
        return [Record(name=name, value=value, time=at.timestamp()) for name, value in row.items()]

    def _read_rows(self) -> Iterator[dict[str, float]]:
        try:
            with self._open() as stream:
                for row in csv.DictReader(stream):
                    numbers = dict(islice(_numbers(row), _MAX_COLUMNS))
                    if numbers:
                        yield numbers
        except (OSError, lzma.LZMAError, UnicodeDecodeError, csv.Error) as error:
            raise ConfigError(f"cannot read telemetry from {self._path}: {error}") from error

    def _open(self) -> TextIO:
        if self._path.suffix == ".xz":
            return lzma.open(self._path, "rt", encoding="utf-8", newline="")
        return self._path.open(encoding="utf-8", newline="")


def _numbers(row: dict[str, str | None]) -> Iterator[tuple[str, float]]:
    for name, text in row.items():
        try:
            value = float(text or "")
        except (ValueError, TypeError):
            continue
        # SenML names are restricted (RFC 8428 §4.5.1); NaN and infinity cannot be said in it.
        if name and abs(value) < 1e300:
            yield (
                "".join(char if char.isascii() and (char.isalnum() or char in "-.:/_") else "_" for char in name),
                value,
            )


def _memory_available() -> float | None:
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            return float(line.split()[1]) * 1024
    return None


def _temperature() -> float | None:
    for path in sorted(Path("/sys/class/thermal").glob("thermal_zone*/temp")):
        for line in _lines(path):
            return float(line) / 1000
    return None


def _received_bytes() -> float | None:
    counts = [float(line.split(":")[1].split()[0]) for line in _lines(Path("/proc/net/dev")) if ":" in line]
    return sum(counts) if counts else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
