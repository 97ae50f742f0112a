"""Two firmware slots as files; a third, replaced by rename, says which is active and what release it holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thingstead.agent.file_home import FileHome
from thingstead.agent.ports import Installed
from thingstead.errors import DecodeError, StorageError
from thingstead.protocols.cbor import codec

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

    def install_first(self, image: bytes, *, sequence_number: int = 1) -> None:
        """Put the image that the factory ships into the first slot and make it active."""
        self._home.save(_NAMES[0], image)
        self._point_to(_NAMES[0], Installed(sequence_number))

    def active(self) -> bytes:
        """The image that runs."""
        name, _ = self._pointer()
        image = self._home.load(name)
        if image is None:
            raise StorageError(f"the active slot {name} is empty")
        return image

    def installed(self) -> Installed:
        """Which release that image is of."""
        return self._pointer()[1]

    def candidate(self) -> bytes:
        """What the other slot holds; empty when nothing was written."""
        return self._home.load(self._candidate_name()) or b""

    def clear_candidate(self) -> None:
        """Empty the other slot."""
        self._home.save(self._candidate_name(), b"")

    def write(self, offset: int, data: bytes) -> None:
        """Write into the other slot at `offset`."""
        with self._opened_candidate() as descriptor, open(descriptor, "wb", closefd=False) as file:
            file.seek(offset)
            file.write(data)

    def activate(self, installed: Installed) -> None:
        """Make the other slot the active one: its image goes to the disk first, then one rename points to it."""
        with self._opened_candidate() as descriptor:
            os.fsync(descriptor)
        self._point_to(self._candidate_name(), installed)

    @contextmanager
    def _opened_candidate(self) -> Iterator[int]:
        try:
            descriptor = os.open(self._directory / self._candidate_name(), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StorageError(f"cannot write the image: {error.strerror}") from error

    def _point_to(self, name: str, installed: Installed) -> None:
        self._home.save(_POINTER, codec.encode([name, installed.sequence_number, installed.manifest_digest]))

    def _candidate_name(self) -> str:
        return _NAMES[1 - _NAMES.index(self._pointer()[0])]

    def _pointer(self) -> tuple[str, Installed]:
        saved = self._home.load(_POINTER)
        if saved is None:
            raise StorageError("no firmware was ever installed in this thing")
        try:
            match codec.decode(saved):
                case [str() as name, int() as sequence_number, bytes() as digest] if name in _NAMES:
                    return name, Installed(sequence_number, digest)
        except DecodeError as error:
            raise StorageError(f"the file {_POINTER} is damaged: {error}") from error
        raise StorageError(f"the file {_POINTER} is damaged")
