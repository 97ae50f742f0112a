"""A disk that loses power: what was not flushed is there, is not there, or is there in part, in any order.

It stands in for `os` and `pathlib` beneath `FileHome` and `FileSlots`. A write reaches the medium for certain with
`fsync` of its file, a name with `fsync` of its directory (POSIX promises no more). Until then a power cut keeps any of
the sectors that were written, tears one in the middle, and keeps any of the changes of names.
"""

from __future__ import annotations

import errno
import io
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from thingstead.agent import file_home, file_slots

__all__ = ["Disk", "Fate", "FlashPath", "PowerCutError"]

_SECTOR = 512
_DIRECTORY = "directory"


class PowerCutError(Exception):
    """Everything that was not on the medium is gone, or is not."""


@dataclass(slots=True)
class _File:
    """What reads see, what is on the medium, and what is on its way there: (offset, bytes), or (size, None)."""

    seen: bytearray = field(default_factory=bytearray)
    kept: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        _write(self.seen, offset, data)
        for start in range(offset - offset % _SECTOR, offset + len(data), _SECTOR):
            first, last = max(start, offset), min(start + _SECTOR, offset + len(data))
            self.pending.append((first, data[first - offset : last - offset]))

    def truncate(self, size: int) -> None:
        _resize(self.seen, size)
        self.pending.append((size, None))

    def flush(self) -> None:
        self.kept, self.pending = bytearray(self.seen), []

    def lose_power(self, fate: Fate) -> None:
        for offset, data in self.pending:
            if fate.keeps():
                if data is None:
                    _resize(self.kept, offset)
                else:
                    _write(self.kept, offset, fate.torn(data))
        self.seen, self.pending = bytearray(self.kept), []


class Fate:
    """What becomes of what was on its way: all of it, nothing, or by chance."""

    def __init__(self, kind: str, seed: int) -> None:
        self._kind = kind
        self._random = random.Random(seed)

    def keeps(self) -> bool:
        """Whether one more change reached the medium."""
        return self._kind == "all" or (self._kind == "some" and self._random.random() < 0.5)

    def torn(self, data: bytes) -> bytes:
        """What of a sector did."""
        if self._kind == "all" or self._random.random() < 0.8:
            return data
        return data[: self._random.randrange(len(data) + 1)]


class Disk:
    """One directory. `cut_at` counts changes from now on; the power goes before that one.

    Attributes:
        changes: how many there were.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _File] = {}
        self._kept: dict[str, _File] = {}
        self._renames: list[Callable[[dict[str, _File]], None]] = []
        self._open: dict[int, _File | str] = {}
        self._is_off = False
        self.cut_at: int | None = None
        self.changes = 0

    def lose_power(self, fate: Fate) -> None:
        """The power goes, and comes back."""
        for change in self._renames:
            if fate.keeps():
                change(self._kept)
        for one in {id(file): file for file in (*self._kept.values(), *self._seen.values())}.values():
            one.lose_power(fate)
        self._seen, self._renames, self._open = dict(self._kept), [], {}
        self._is_off, self.cut_at = False, None

    def patch(self, patched: Any) -> FlashPath:
        """Put this disk under the files of things, and give the path of its directory."""
        fake = SimpleNamespace(
            **{name: getattr(os, name) for name in ("O_RDONLY", "O_WRONLY", "O_CREAT", "O_TRUNC", "O_DIRECTORY")},
            open=self._opened,
            close=lambda descriptor: self._open.pop(descriptor, None),
            fsync=self._fsync,
            pwrite=self._pwrite,
            ftruncate=self._ftruncate,
            fdopen=lambda descriptor, _mode: _Stream(self, descriptor),
        )
        patched.setattr(file_home, "os", fake)
        patched.setattr(file_slots, "os", fake)
        return FlashPath(self)

    # --- what the paths ask

    def content(self, name: str) -> bytes:
        """What a file holds."""
        if name not in self._seen:
            raise FileNotFoundError(errno.ENOENT, "no such file", name)
        return bytes(self._seen[name].seen)

    def replace(self, name: str, to: str) -> None:
        """Rename."""
        self._change()
        file = self._seen.pop(name)
        self._seen[to] = file

        def change(names: dict[str, _File]) -> None:
            names.pop(name, None)
            names[to] = file

        self._renames.append(change)

    def unlink(self, name: str) -> None:
        """Take a name away."""
        self.content(name)
        self._change()
        del self._seen[name]
        self._renames.append(lambda names: names.__delitem__(name) if name in names else None)

    # --- what `os` does

    def _change(self) -> None:
        if self.cut_at == self.changes or self._is_off:
            self._is_off = True
            raise PowerCutError
        self.changes += 1

    def _opened(self, path: FlashPath, flags: int, _mode: int = 0) -> int:
        descriptor = len(self._open) + 3
        while descriptor in self._open:
            descriptor += 1
        if flags & os.O_DIRECTORY:
            self._open[descriptor] = _DIRECTORY
            return descriptor
        name = path.name
        if name not in self._seen:
            self._change()
            made = self._seen[name] = _File()
            self._renames.append(lambda names: names.__setitem__(name, made))
        if flags & os.O_TRUNC:
            self._change()
            self._seen[name].truncate(0)
        self._open[descriptor] = self._seen[name]
        return descriptor

    def _fsync(self, descriptor: int) -> None:
        self._change()
        opened = self._open[descriptor]
        if isinstance(opened, _File):
            opened.flush()
        else:
            self._kept, self._renames = dict(self._seen), []

    def _pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        self._change()
        self._file(descriptor).write(offset, data)
        return len(data)

    def _ftruncate(self, descriptor: int, size: int) -> None:
        self._change()
        self._file(descriptor).truncate(size)

    def _file(self, descriptor: int) -> _File:
        opened = self._open[descriptor]
        assert isinstance(opened, _File)
        return opened


class _Stream:
    """What `os.fdopen` gives."""

    def __init__(self, disk: Disk, descriptor: int) -> None:
        self._disk = disk
        self._descriptor = descriptor

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._disk._open.pop(self._descriptor, None)

    def write(self, data: bytes) -> None:
        self._disk._pwrite(self._descriptor, data, 0)

    def flush(self) -> None:
        """Nothing is held back here."""

    def fileno(self) -> int:
        return self._descriptor


class FlashPath:
    """As much of a `Path` as the files of things need."""

    def __init__(self, disk: Disk, name: str = "") -> None:
        self._disk = disk
        self.name = name

    def __truediv__(self, name: str) -> FlashPath:
        return FlashPath(self._disk, name)

    def mkdir(self, **_: object) -> None:
        """It is there."""

    def read_bytes(self) -> bytes:
        return self._disk.content(self.name)

    def stat(self) -> SimpleNamespace:
        return SimpleNamespace(st_size=len(self.read_bytes()))

    def open(self, _mode: str) -> Any:
        return io.BytesIO(self.read_bytes())

    def replace(self, to: FlashPath) -> None:
        self._disk.replace(self.name, to.name)

    def unlink(self) -> None:
        self._disk.unlink(self.name)


def _write(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content += bytes(offset - len(content))
    content[offset : offset + len(data)] = data


def _resize(content: bytearray, size: int) -> None:
    if size < len(content):
        del content[size:]
    else:
        content += bytes(size - len(content))
