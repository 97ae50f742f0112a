"""What lies packed in an image is looked at, within bounds; what only looks packed costs nothing."""

import bz2
import gzip
import io
import lzma
import random
import zipfile
from collections.abc import Callable

import pytest

from thingstead.analysis.unpacking import Limits, unpack

pytestmark = pytest.mark.requirement("R-88")
TEXT = b"what nobody should find in here " * 40


def zipped(data):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("etc/config", data)
    return stream.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zip": zipped,
}


@pytest.mark.parametrize("kind", PACKERS)
def test_each_kind_is_unpacked_wherever_it_lies(kind):
    image = bytes(100) + PACKERS[kind](TEXT) + bytes(100)
    (found,) = unpack(image)
    assert (found.offset, found.kind, found.content) == (100, kind, TEXT)


def test_one_in_another_is_unpacked_and_called_so():
    found = list(unpack(b"head" + gzip.compress(zipped(TEXT))))
    assert [(one.offset, one.kind) for one in found] == [(4, "gzip"), (4, "zip in gzip")]
    assert found[1].content == TEXT


def test_two_beside_each_other_are_both_unpacked():
    assert [one.kind for one in unpack(gzip.compress(TEXT) + bz2.compress(TEXT))] == ["gzip", "bzip2"]


def test_a_bomb_stops_at_the_bound():
    bomb = gzip.compress(bytes(10_000_000))
    (found,) = unpack(bomb, limits=Limits(max_bytes=1000))
    assert len(found.content) == 1000


def test_nesting_and_places_are_bounded():
    deep = TEXT
    for _ in range(6):
        deep = gzip.compress(deep)
    assert len(list(unpack(deep, limits=Limits(max_depth=2)))) == 2
    assert list(unpack(deep, limits=Limits(max_depth=0))) == []
    assert len(list(unpack(gzip.compress(TEXT) * 9, limits=Limits(max_places=3)))) == 3


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"\x1f\x8b\x08\x00",
        b"\x1f\x8b\x08\x00" + bytes(100),
        b"\xfd7zXZ\x00" + bytes(100),
        b"BZh91AY&SY" + bytes(100),
        b"PK\x03\x04",
        b"PK\x03\x04" + bytes(100),
        b"PK\x03\x04" + b"\xff" * 100,
        gzip.compress(b"short"),
    ],
)
def test_what_only_looks_packed_is_passed_over(image):
    assert list(unpack(image)) == []


def test_a_stream_that_is_cut_off_gives_what_it_has():
    noise = random.Random(1).randbytes(5000)
    (found,) = unpack(gzip.compress(noise)[:3000])
    assert noise.startswith(found.content)


def test_an_xz_stream_that_wants_more_memory_is_passed_over():
    assert list(unpack(lzma.compress(TEXT), limits=Limits(max_memory=1000))) == []
