"""Captures of a run: what went over the segment, and what went in and out of it (draft-ietf-opsawg-pcap)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from thingstead.errors import StorageError
from thingstead.simulator.lab.tap import Sighting

__all__ = ["Recording"]

_MAGIC_NANOSECONDS = 0xA1B23C4D
_ETHERNET = 1
_LONGEST = 65_535
_UPLINK, _PORT = "up0", "t"
_BILLION = 10**9


class Recording:
    """Two files of a directory, in the lab's time: frames of one step are a nanosecond apart.

    Args:
        directory: made if it is not there; None keeps nothing.

    Raises:
        StorageError: the files cannot be made.
    """

    def __init__(self, directory: Path | None) -> None:
        self._files: dict[str, BinaryIO] = {}
        self._last = 0
        if directory is None:
            return
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for name in ("segment", "outside"):
                self._files[name] = (directory / f"{name}.pcap").open("wb")
        except OSError as error:
            raise StorageError(f"cannot write captures in {directory}: {error.strerror}") from error
        for file in self._files.values():
            file.write(struct.pack("<IHHiIII", _MAGIC_NANOSECONDS, 2, 4, 0, 0, _LONGEST, _ETHERNET))

    def keep(self, sighting: Sighting, *, at: float) -> None:
        """Write one frame, if it was at a thing's port or at the way out; `at` is by the lab's clock."""
        name = "outside" if sighting.interface == _UPLINK else "segment"
        if name not in self._files or not sighting.interface.startswith((_UPLINK, _PORT)):
            return
        self._last = max(self._last + 1, round(at * _BILLION))
        size = len(sighting.frame)
        head = struct.pack("<IIII", self._last // _BILLION, self._last % _BILLION, size, size)
        self._files[name].write(head + sighting.frame)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
