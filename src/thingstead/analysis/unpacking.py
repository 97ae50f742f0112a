"""What lies packed in an image, as far as it is cheap to look: gzip, xz, bzip2 and zip, one in another.

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
_MAGIC = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]|\xfd7zXZ\x00|BZh[1-9]1AY&SY|PK\x03\x04")


def unpack(image: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[Unpacked]:
    """Everything that lies packed in an image, in the order in which it is found."""
    budget = _Budget(limits.max_bytes, limits.max_places)
    yield from _within(image, None, limits.max_depth, limits, budget)


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
        kind, make = _KINDS[match[0][:2]]
        content, used = _stream(data, match.start(), kind, make, limits, budget.octets)
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


def _stream(
    data: bytes, start: int, kind: str, make: Callable[[Limits], Any], limits: Limits, room: int
) -> tuple[bytes, int]:
    """What comes out of a stream, and the octets that it took; nothing where it is none."""
    body = start if kind != "zip" else _zip_body(data, start)
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


def _zip_body(data: bytes, start: int) -> int:
    """Where the data of a local file begin (APPNOTE.TXT §4.3.7); -1 where it is not deflated."""
    head = data[start : start + _ZIP_HEAD]
    if len(head) < _ZIP_HEAD or int.from_bytes(head[8:10], "little") != zlib.DEFLATED:
        return -1
    return start + _ZIP_HEAD + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")


_KINDS: dict[bytes, tuple[str, Callable[[Limits], Any]]] = {
    b"\x1f\x8b": ("gzip", lambda _limits: zlib.decompressobj(wbits=31)),
    b"\xfd7": ("xz", lambda limits: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=limits.max_memory)),
    b"BZ": ("bzip2", lambda _limits: bz2.BZ2Decompressor()),
    b"PK": ("zip", lambda _limits: zlib.decompressobj(wbits=-15)),
}
