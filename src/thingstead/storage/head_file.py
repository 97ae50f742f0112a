"""The newest signed tree head in a file of its own, outside the data directory."""

from __future__ import annotations

import asyncio
from pathlib import Path

from thingstead.errors import StorageError
from thingstead.storage.directory import write_whole

__all__ = ["HeadFile"]


class HeadFile:
    """A `HeadKeeper`: best on another disk or host, where whoever cuts the ledger does not reach."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> bytes | None:
        """The head in the file.

        Raises:
            StorageError: the file is there and cannot be read.
        """
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"cannot read {self._path}: {error.strerror}") from error

    async def keep(self, head: bytes) -> None:
        """Replace the file."""
        await asyncio.to_thread(write_whole, self._path, head)
