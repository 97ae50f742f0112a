"""The content of squashfs file systems, block after block; what is none, or lies about its size, gives nothing."""

from __future__ import annotations

import lzma
import struct
import zlib
from itertools import islice

import pytest

from thingstead.analysis.squashfs import content
from thingstead.analysis.unpacking import Limits, unpack

pytestmark = pytest.mark.requirement("R-88")
TEXT = b"what nobody should find in here " * 40


def image(
    *blocks: bytes, compression: int = 1, magic: bytes = b"hsqs", version=(4, 0), used: int | None = None
) -> bytes:
    body = b"".join(blocks)
    size = 96 + len(body) if used is None else used
    head = struct.pack("<4sIIIIHHHHHHQQ", magic, 1, 0, 1 << 17, 0, compression, 17, 0, 1, *version, 0, size)
    return head + bytes(96 - len(head)) + body


def test_blocks_of_a_file_come_out_one_behind_the_other():
    data = b"boot" + image(zlib.compress(TEXT[:700]), zlib.compress(TEXT[700:]), b"stored as it is") + b"rest"
    found, size = content(data, 4, 1 << 20)
    assert (found, size) == (TEXT, len(data) - 8)


def test_xz_is_read_too():
    assert content(image(lzma.compress(TEXT), compression=4), 0, 1 << 20)[0] == TEXT


def test_what_lies_in_it_is_looked_into_and_called_so():
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(TEXT) + packer.flush()
    found = list(unpack(bytes(50) + image(zlib.compress(packed))))
    assert [(one.offset, one.kind) for one in found] == [(50, "squashfs"), (50, "gzip in squashfs")]
    assert found[1].content == TEXT


def test_no_more_comes_out_than_there_is_room_for():
    bomb = image(*[zlib.compress(bytes(1 << 17)) for _ in range(20)])
    (found,) = islice(unpack(bomb, limits=Limits(max_bytes=200_000)), 1)
    assert len(found.content) <= 200_000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hsqs",
        image(zlib.compress(TEXT), magic=b"sqsh"),
        image(zlib.compress(TEXT), version=(3, 1)),
        image(zlib.compress(TEXT), compression=6),
        image(zlib.compress(TEXT), used=1 << 40),
        image(zlib.compress(TEXT), used=95),
        image(zlib.compress(TEXT), used=(1 << 64) - 1),
    ],
)
def test_what_is_no_file_system_that_is_read_here_gives_nothing(data):
    assert content(data, 0, 1 << 20) == (b"", 0)


@pytest.mark.parametrize("block", [b"\x78\x9c", b"\x78\x9c" + bytes(100), zlib.compress(TEXT)[:-4], b"\x78\x01" * 4000])
def test_what_only_looks_like_a_block_is_passed_over(block):
    assert content(image(block), 0, 1 << 20)[0] == b""
