"""Two firmware slots as files, and which one is active as a third, replaced by rename."""

from __future__ import annotations

import os
from pathlib import Path

from thingstead.agent.file_home import FileHome
from thingstead.errors import StorageError

__all__ = ["FileSlots"]

_POINTER = "active-slot"
_NAMES = ("slot-a", "slot-b")


class FileSlots:
    """Slots under one directory. A cut at any byte leaves the active image as it was.

    Raises:
        StorageError: from every method, when the file system refuses or no image was ever installed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._home = FileHome(directory)

    def install_first(self, image: bytes) -> None:
        """Put the image that the factory ships into the first slot and make it active."""
        self._home.save(_NAMES[0], image)
        self._home.save(_POINTER, _NAMES[0].encode())

    def active(self) -> bytes:
        """The image that runs."""
        return self._read(self._active_name())

    def candidate(self) -> bytes:
        """What the other slot holds; empty when nothing was written."""
        return self._home.load(self._candidate_name()) or b""

    def clear_candidate(self) -> None:
        """Empty the other slot."""
        self._home.save(self._candidate_name(), b"")

    def write(self, offset: int, data: bytes) -> None:
        """Write into the other slot at `offset`."""
        path = self._directory / self._candidate_name()
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.seek(offset)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StorageError(f"cannot write the image: {error.strerror}") from error

    def activate(self) -> None:
        """Make the other slot the active one: one rename."""
        self._home.save(_POINTER, self._candidate_name().encode())

    def _active_name(self) -> str:
        name = (self._home.load(_POINTER) or b"").decode("ascii", "replace")
        if name not in _NAMES:
            raise StorageError("no firmware was ever installed in this thing")
        return name

    def _candidate_name(self) -> str:
        return _NAMES[1 - _NAMES.index(self._active_name())]

    def _read(self, name: str) -> bytes:
        image = self._home.load(name)
        if image is None:
            raise StorageError(f"the active slot {name} is empty")
        return image
