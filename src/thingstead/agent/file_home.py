"""A thing's home as a directory: one file per value, 0600 in 0700."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from thingstead.errors import StorageError

__all__ = ["FileHome"]


class FileHome:
    """Values as files, replaced by rename and flushed to disk before `save` returns.

    Raises:
        StorageError: from every method, when the file system refuses.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"expected a writable directory at {directory}: {error.strerror}") from error

    def load(self, name: str) -> bytes | None:
        """The value, or None."""
        try:
            return (self._directory / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"cannot read {name}: {error.strerror}") from error

    def save(self, name: str, value: bytes) -> None:
        """Replace a value; after a crash the old one or the new one is there, whole."""
        fresh = self._directory / f".{name}.new"
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(value)
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(self._directory / name)
            self.flush()
        except OSError as error:
            raise StorageError(f"cannot save {name}: {error.strerror}") from error

    def delete(self, name: str) -> None:
        """Forget a value; nothing if there is none."""
        try:
            with contextlib.suppress(FileNotFoundError):
                (self._directory / name).unlink()
                self.flush()
        except OSError as error:
            raise StorageError(f"cannot delete {name}: {error.strerror}") from error

    def names(self) -> list[str]:
        """All names that hold a value."""
        return sorted(path.name for path in self._directory.iterdir() if path.is_file() and path.name[0] != ".")

    def flush(self) -> None:
        """Put names on disk: a file that was made is found again only then."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
