"""What was vouched for: one line of JSON each, on disk before the voucher goes out."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from thingstead.errors import StorageError

__all__ = ["FileRecord", "Record", "Vouched"]

_MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Vouched:
    """One voucher.

    Attributes:
        at: UTC, ISO 8601.
        serial: the thing.
        domain: thumbprint of the domain's key, in hex.
        ek_ct: the thing's ephemeral key, in hex; serves once.
    """

    at: str
    serial: str
    domain: str
    ek_ct: str


class Record:
    """Keys that vouchers are under, and how many each thing has had; in memory alone.

    Args:
        vouched: what there was before.
    """

    def __init__(self, vouched: tuple[Vouched, ...] = ()) -> None:
        self._used = {one.ek_ct for one in vouched}
        self._counts = Counter([one.serial for one in vouched])

    def is_used(self, ek_ct: str) -> bool:
        """Whether a voucher is under this key already."""
        return ek_ct in self._used

    def count(self, serial: str) -> int:
        """How many vouchers a thing has had."""
        return self._counts[serial]

    def add(self, one: Vouched) -> None:
        """Keep one more.

        Raises:
            StorageError: it is not kept, and must not be issued.
        """
        self._used.add(one.ek_ct)
        self._counts[one.serial] += 1


class FileRecord(Record):
    """The same, in a file (0600).

    Args:
        path: where; made if it is not there.

    Raises:
        StorageError: it cannot be read or written, or a line of it is damaged. A last line without an end is what a
            crash left of a voucher that nobody got: it is cut off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            size = os.fstat(self._file).st_size
            if size > _MAX_BYTES:
                raise StorageError(f"{path} is over {_MAX_BYTES >> 20} MiB; move it away to begin a new one")
            with open(self._file, "rb", closefd=False) as file:
                content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            if len(whole) < size:
                os.ftruncate(self._file, len(whole))
            # A file that a crash takes away would let a key serve again.
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(folder)
            os.close(folder)
        except OSError as error:
            raise StorageError(f"cannot open {path}: {error.strerror}") from error
        super().__init__(tuple([_read(line, number, path) for number, line in enumerate(whole.splitlines(), 1)]))

    def add(self, one: Vouched) -> None:
        """Append and wait for the disk."""
        line = json.dumps(asdict(one)).encode() + b"\n"
        before = os.fstat(self._file).st_size
        try:
            if os.write(self._file, line) != len(line):
                raise OSError(0, "not all of a line was taken")
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, before)
            raise StorageError(f"cannot write {self._path}: {error.strerror}") from error
        super().add(one)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _read(line: bytes, number: int, path: Path) -> Vouched:
    try:
        values = json.loads(line)
        return Vouched(**{name: str(value) for name, value in values.items()})
    except (ValueError, TypeError, AttributeError) as error:
        raise StorageError(f"{path} is damaged in line {number}; what stands there was vouched for") from error
