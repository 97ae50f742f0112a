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
_MEMORY, _NETWORK, _THERMAL = Path("/proc/meminfo"), Path("/proc/net/dev"), Path("/sys/class/thermal")


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
        except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError, csv.Error) as error:
            raise ConfigError(f"cannot read telemetry from {self._path}: {error}") from error

    def _open(self) -> TextIO:
        if self._path.suffix == ".xz":
            return lzma.open(self._path, "rt", encoding="utf-8", newline="")
        return self._path.open(encoding="utf-8", newline="")


def _numbers(row: dict[str, str | None]) -> Iterator[tuple[str, float]]:
    for name, text in row.items():
        value = _number(text)
        # NaN and infinity cannot be said in SenML.
        if name and value is not None and abs(value) < 1e300:
            yield _name(name), value


def _number(text: object) -> float | None:
    try:
        return float(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _name(column: str) -> str:
    """A column's name in the characters that SenML has, the first a letter or digit (RFC 8428 §4.5.1)."""
    name = "".join(char if char.isascii() and (char.isalnum() or char in "-.:/_") else "_" for char in column)
    return name if name[0].isalnum() else f"x{name}"


def _memory_available() -> float | None:
    for line in _lines(_MEMORY):
        if line.startswith("MemAvailable:"):
            kibibytes = _number(" ".join(line.split()[1:2]))
            return None if kibibytes is None else kibibytes * 1024
    return None


def _temperature() -> float | None:
    for path in sorted(_THERMAL.glob("thermal_zone*/temp")):
        for line in _lines(path):
            thousandths = _number(line)
            return None if thousandths is None else thousandths / 1000
    return None


def _received_bytes() -> float | None:
    counters = [line.split(":")[1].split()[:1] for line in _lines(_NETWORK) if ":" in line]
    counts = [count for counter in counters if (count := _number("".join(counter))) is not None]
    return sum(counts) if counts else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
