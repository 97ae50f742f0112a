"""What lies packed in an image, as far as it is cheap to look: gzip, xz, bzip2, zip and squashfs, one in another.

Packed data are hostile: every step is bounded, and what cannot be unpacked is passed over, for most places that look
like the beginning of an archive are none.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from thingstead.analysis import squashfs

__all__ = ["DEFAULT_LIMITS", "Limits", "Unpacked", "unpack"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one image.

    Attributes:
        max_bytes: of everything that comes out of it.
        max_places: that are tried, in the image and in what came out of it.
        max_depth: of one in another.
        max_memory: of one xz stream.
    """

    max_bytes: int = 1 << 26
    max_places: int = 256
    max_depth: int = 3
    max_memory: int = 1 << 26


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Unpacked:
    """One stream that could be unpacked, whole or up to the bound.

    Attributes:
        offset: where it begins in the image, or where what it lies in begins.
        kind: for people, outermost first: ``gzip``, ``zip in gzip``.
        content: what came out.
    """

    offset: int
    kind: str
    content: bytes


_ZIP_HEAD = 30
_SMALLEST = 16
_MAGIC = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]|\xfd7zXZ\x00|BZh[1-9]1AY&SY|PK\x03\x04|hsqs")


def unpack(image: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[Unpacked]:
    """Everything that lies packed in an image, in the order in which it is found."""
    budget = _Budget(limits.max_bytes, limits.max_places)
    yield from _within(image, None, limits.max_depth, limits, budget)


_OpenUp = Callable[[bytes, int, Limits, int], tuple[bytes, int]]
"""From data, where it begins, limits and room to what comes out and the octets that it took; nothing for noise."""


@dataclass(slots=True)
class _Budget:
    octets: int
    places: int


def _within(data: bytes, outer: Unpacked | None, depth: int, limits: Limits, budget: _Budget) -> Iterator[Unpacked]:
    end = 0
    for match in _MAGIC.finditer(data):
        # What begins inside a stream is its noise, not another one.
        if match.start() < end:
            continue
        if not depth or not budget.places or not budget.octets:
            return
        budget.places -= 1
        kind, open_up = _KINDS[match[0][:2]]
        content, used = open_up(data, match.start(), limits, budget.octets)
        if len(content) < _SMALLEST:
            continue
        end = match.start() + used
        budget.octets -= len(content)
        found = (
            Unpacked(match.start(), kind, content)
            if outer is None
            else Unpacked(outer.offset, f"{kind} in {outer.kind}", content)
        )
        yield found
        yield from _within(content, found, depth - 1, limits, budget)


def _stream(make: Callable[[Limits], Any], head: Callable[[bytes, int], int] | None = None) -> _OpenUp:
    """Unpacks one stream, which begins behind its head if it has one."""

    def unpack_stream(data: bytes, start: int, limits: Limits, room: int) -> tuple[bytes, int]:
        body = start if head is None else head(data, start)
        if body < 0:
            return b"", 0
        unpacker = make(limits)
        given = data[body:]
        try:
            content = unpacker.decompress(given, room)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError):
            return b"", 0
        rest = len(unpacker.unused_data) if unpacker.eof else 0
        return content, body - start + len(given) - rest

    return unpack_stream


def _zip_body(data: bytes, start: int) -> int:
    """Where the data of a local file begin (APPNOTE.TXT §4.3.7); -1 where it is not deflated."""
    head = data[start : start + _ZIP_HEAD]
    if len(head) < _ZIP_HEAD or int.from_bytes(head[8:10], "little") != zlib.DEFLATED:
        return -1
    return start + _ZIP_HEAD + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")


_KINDS: dict[bytes, tuple[str, _OpenUp]] = {
    b"\x1f\x8b": ("gzip", _stream(lambda _limits: zlib.decompressobj(wbits=31))),
    b"\xfd7": (
        "xz",
        _stream(lambda limits: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=limits.max_memory)),
    ),
    b"BZ": ("bzip2", _stream(lambda _limits: bz2.BZ2Decompressor())),
    b"PK": ("zip", _stream(lambda _limits: zlib.decompressobj(wbits=-15), _zip_body)),
    b"hs": ("squashfs", lambda data, start, _limits, room: squashfs.content(data, start, room)),
}
