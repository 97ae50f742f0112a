import bz2
import random

import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.phases.delta import make_patch
from thingstead.protocols.profile import delta

OLD = random.Random(1).randbytes(30_000)
NEW = OLD[:9_000] + b"something new" * 50 + OLD[12_000:29_000] + bytes([one ^ 1 for one in OLD[29_000:]]) + OLD[:2_000]


def applied(patch, *, old=OLD, max_size=1 << 20):
    made = delta.apply(patch, lambda at, size: old[at : at + size], old_size=len(old), max_size=max_size)
    return b"".join(made)


def number(value):
    return (abs(value) | (1 << 63 if value < 0 else 0)).to_bytes(8, "little")


def patch(triples, *, new_size=4, diff=b"", extra=b"", magic=b"BSDIFF40"):
    control = bz2.compress(b"".join(number(one) for triple in triples for one in triple))
    packed = bz2.compress(diff)
    sizes = (number(len(control)), number(len(packed)), number(new_size))
    return magic + b"".join(sizes) + control + packed + bz2.compress(extra)


@pytest.mark.parametrize(
    ("old", "new"),
    [(OLD, NEW), (NEW, OLD), (OLD, OLD), (OLD, b""), (b"", NEW), (b"", b""), (bytes(70_000), b"\x80" * 50_000)],
    ids=["forward", "back", "same", "to nothing", "from nothing", "nothing", "long runs"],
)
def test_what_the_library_makes_is_applied(old, new):
    assert applied(make_patch(old, new), old=old) == new


def test_a_difference_is_smaller_than_what_it_makes():
    assert len(make_patch(OLD, NEW)) < len(NEW) / 10


def test_octets_are_added_one_by_one():
    assert applied(patch([(3, 1, 0)], diff=b"\xff\x01\x80", extra=b"!"), old=b"\x01\xff\x80") == b"\x00\x00\x00!"


REFUSED = {
    "another magic": patch([(0, 4, 0)], extra=b"abcd", magic=b"BSDIFF41"),
    "a negative size": patch([(0, 4, 0)], new_size=-1),
    "more than is allowed": patch([(0, 4, 0)], new_size=101),
    "a negative length": patch([(-1, 4, 0)], extra=b"abcd"),
    "a negative insertion": patch([(4, -1, 0)], diff=b"abcd"),
    "more than the new image": patch([(0, 5, 0)], extra=b"abcde"),
    "before the old image": patch([(1, 0, -2), (3, 0, 0)], diff=bytes(4)),
    "behind the old image": patch([(1, 0, 30_000), (3, 0, 0)], diff=bytes(4)),
    "longer than the old image": patch([(30_001, 0, 0)], new_size=30_001, diff=bytes(30_001)),
    "too little control": patch([(0, 2, 0)], extra=b"abcd"),
    "too little diff": patch([(4, 0, 0)], diff=b"abc"),
    "too little to insert": patch([(0, 4, 0)], extra=b"abc"),
    "steps without end": patch([(0, 0, 0)] * 70_000),
    "no bzip2": b"BSDIFF40" + number(4) + number(4) + number(4) + b"aaaabbbbcccc",
    "sizes beyond the end": b"BSDIFF40" + number(400) + number(4) + number(4) + b"aaaabbbbcccc",
    "nothing": b"",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_difference_that_does_not_hold_together_is_refused(name):
    with pytest.raises(DecodeError) as refused:
        applied(REFUSED[name], max_size=1 << 20 if "longer" in name else 100)
    assert refused.value.reason == "patch"


def test_a_bomb_is_unpacked_no_further_than_it_is_asked_for():
    bomb = patch([(0, 4, 0)], extra=bytes(10_000_000))
    assert len(bomb) < 1000
    assert applied(bomb) == bytes(4)


@pytest.mark.parametrize("length", range(0, 400, 7))
def test_a_difference_that_is_cut_short_is_refused(length):
    with pytest.raises(DecodeError):
        applied(make_patch(OLD, NEW)[:length])


@pytest.mark.parametrize("arguments", [b"", b"\xa0", delta.ARGUMENTS + b"\x00", delta.ARGUMENTS[:-1] + b"5"])
def test_other_arguments_are_refused(arguments):
    delta.require_arguments(delta.ARGUMENTS)
    with pytest.raises(UnsupportedError):
        delta.require_arguments(arguments)
