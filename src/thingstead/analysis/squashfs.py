"""The content of a squashfs file system, 4.0, block after block: most devices of today carry theirs in one.

Only what is stored in blocks is looked for, not which file it belongs to: blocks of one file lie one behind the other,
so what comes out is the files' content, in the order in which they were written. Metadata come out likewise where they
are compressed as the data are. gzip and xz are read; a file system of another compression gives nothing.
"""

from __future__ import annotations

import lzma
import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

__all__ = ["MAGIC", "content"]

MAGIC = b"hsqs"

_SUPERBLOCK = struct.Struct("<4s16xH6xHHQQ")
_SIZE = 96
_LARGEST_BLOCK = 1 << 20
_MOST_TRIES = 1 << 16
_XZ_MEMORY = 1 << 26
_GZIP, _XZ = 1, 4
_BLOCKS: dict[int, tuple[re.Pattern[bytes], Callable[[], Any]]] = {
    _GZIP: (re.compile(rb"\x78[\x01\x5e\x9c\xda]"), zlib.decompressobj),
    _XZ: (re.compile(rb"\xfd7zXZ\x00"), lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)),
}


def content(data: bytes, start: int, room: int) -> tuple[bytes, int]:
    """What the compressed blocks of a file system hold that begins at `start`, up to `room` octets of it.

    Returns:
        The content, and the octets that the file system takes; nothing and none where it is no squashfs, or one that
        is compressed otherwise.
    """
    if len(data) < start + _SIZE:
        return b"", 0
    magic, compression, major, minor, _, used = _SUPERBLOCK.unpack_from(data, start)
    end = start + used
    if (
        magic != MAGIC
        or (major, minor) != (4, 0)
        or compression not in _BLOCKS
        or not start + _SIZE <= end <= len(data)
    ):
        return b"", 0
    pattern, make = _BLOCKS[compression]
    blocks: list[bytes] = []
    at = start + _SIZE
    for _ in range(_MOST_TRIES):
        match = pattern.search(data, at, end)
        if match is None or room <= 0:
            break
        block, size = _block(make(), data[match.start() : min(end, match.start() + _LARGEST_BLOCK)], room)
        at = match.start() + (size or 1)
        blocks.append(block)
        room -= len(block)
    return b"".join(blocks), used


def _block(unpacker: Any, given: bytes, room: int) -> tuple[bytes, int]:
    """A block and how much of what was given it took; nothing where none begins there."""
    try:
        block: bytes = unpacker.decompress(given, min(room, _LARGEST_BLOCK))
    except (zlib.error, lzma.LZMAError, EOFError, ValueError, MemoryError):
        return b"", 0
    if not unpacker.eof:
        return b"", 0
    return block, len(given) - len(unpacker.unused_data)
