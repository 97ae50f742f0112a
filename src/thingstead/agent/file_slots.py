"""Firmware slots as files: two for each component and one for what comes in, and a record that says which are active.

A reboot is a restart of the thing's program, which reads that record as a boot loader would.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from thingstead.agent import slot_pointer
from thingstead.agent.file_home import FileHome
from thingstead.agent.ports import Area, Download, Installed, Standing
from thingstead.agent.slot_pointer import Pointer
from thingstead.errors import DecodeError, StorageError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.release import FIRMWARE
from thingstead.protocols.suit.manifest import ComponentId

__all__ = ["FileSlots"]

_POINTER = "active-slot"
_DOWNLOAD = "download"
_NAMES = ("slot-a", "slot-b")
_STAGING = "staging"


class FileSlots:
    """Slots under one directory. A cut at any byte leaves what is active as it was.

    Raises:
        StorageError: from every method, when the file system refuses or no image was ever installed.
        StateError: from those that write, while a release is on trial.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._home = FileHome(directory)

    def install_first(
        self, image: bytes, *, sequence_number: int = 1, others: Mapping[ComponentId, bytes] | None = None
    ) -> None:
        """Put what the factory ships into the first slots and make them active.

        Args:
            image: the firmware.
            sequence_number: releases have higher ones.
            others: components beside the firmware.
        """
        images = {FIRMWARE: image, **(others or {})}
        for component, content in images.items():
            self._home.save(_name(_NAMES[0], component), content)
        self._point(Pointer(Standing(Installed(sequence_number)), dict.fromkeys(images, 0), {}))

    def components(self) -> frozenset[ComponentId]:
        """What the factory put there."""
        return frozenset(self._pointer().places)

    def standing(self) -> Standing:
        """Which releases are there."""
        return self._pointer().standing

    def size(self, area: Area, component: ComponentId) -> int:
        """Bytes in a place."""
        try:
            return self._path(area, component).stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise StorageError(f"cannot read an image: {error.strerror}") from error

    def read(self, area: Area, component: ComponentId, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset` on."""
        path = self._path(area, component)
        try:
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(size)
        except FileNotFoundError as error:
            if area is Area.ACTIVE:
                raise StorageError(f"the active slot {path.name} is empty") from error
            return b""
        except OSError as error:
            raise StorageError(f"cannot read an image: {error.strerror}") from error

    def write(self, area: Area, component: ComponentId, offset: int, data: bytes) -> None:
        """Write into a place that is not active."""
        with self._opened(area, component) as descriptor:
            written = 0
            while written < len(data):
                written += os.pwrite(descriptor, data[written:], offset + written)

    def truncate(self, area: Area, component: ComponentId, size: int) -> None:
        """Keep only the first `size` bytes of a place that is not active."""
        with self._opened(area, component) as descriptor:
            os.ftruncate(descriptor, size)

    def download(self) -> Download | None:
        """How far the last download had come; a record that is damaged is none."""
        saved = self._home.load(_DOWNLOAD)
        try:
            match None if saved is None else codec.decode(saved):
                case [bytes(manifest), [*component], str(area), bytes(etag), int(size)] if (
                    area in _WRITABLE and size >= 0
                ):
                    return Download(manifest, tuple(component), _WRITABLE[area], etag, size)
        except DecodeError:
            pass
        return None

    def keep(self, download: Download | None) -> None:
        """Flush what it names, then save it; None forgets it."""
        if download is None:
            self._home.delete(_DOWNLOAD)
            return
        self._flush(download.area, download.component)
        row = [download.manifest_digest, list(download.component), download.area.value, download.etag, download.size]
        self._home.save(_DOWNLOAD, codec.encode(row))

    def activate(self, components: Iterable[ComponentId], release: Installed) -> None:
        """Put candidates on trial: they go to the disk first, then one rename points to them."""
        moved = tuple(components)
        for component in moved:
            self._flush(Area.CANDIDATE, component)
        self._point(self._pointer().activated(moved, release))

    def count_boot(self) -> None:
        """The thing starts with the release on trial."""
        self._point(self._pointer().booted())

    def confirm(self) -> None:
        """The release on trial is the installed one."""
        self._point(self._pointer().confirmed())

    def revert(self) -> None:
        """What ran before the trial is active again."""
        self._point(self._pointer().reverted())

    def told(self) -> None:
        """The domain has heard of the reverted one."""
        self._point(self._pointer().told())

    def forgive(self) -> None:
        """Let the reverted one be tried again."""
        self._point(self._pointer().forgiven())

    def _flush(self, area: Area, component: ComponentId) -> None:
        with self._opened(area, component) as descriptor:
            os.fsync(descriptor)
            self._home.flush()

    @contextmanager
    def _opened(self, area: Area, component: ComponentId) -> Iterator[int]:
        if area is Area.ACTIVE:
            raise ValueError("what runs is not written")
        path = self._path(area, component)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StorageError(f"cannot write the image: {error.strerror}") from error

    def _path(self, area: Area, component: ComponentId) -> Path:
        if area is Area.STAGING:
            return self._directory / _name(_STAGING, component)
        pointer = self._pointer()
        slot = pointer.active(component) if area is Area.ACTIVE else pointer.candidate(component)
        return self._directory / _name(_NAMES[slot], component)

    def _point(self, pointer: Pointer) -> None:
        self._home.save(_POINTER, pointer.encode())

    def _pointer(self) -> Pointer:
        saved = self._home.load(_POINTER)
        if saved is None:
            raise StorageError("no firmware was ever installed in this thing")
        try:
            return slot_pointer.decode(saved)
        except DecodeError as error:
            raise StorageError(f"the file {_POINTER} is damaged: {error}") from error


_WRITABLE = {area.value: area for area in (Area.CANDIDATE, Area.STAGING)}


def _name(slot: str, component: ComponentId) -> str:
    """Of a file; the firmware's have no more than the slot's name, as on things that have nothing else."""
    return slot if component == FIRMWARE else f"{slot}-{codec.encode(list(component)).hex()}"
