"""What is kept of conversations is added up by kind, comes back as it was, and nothing else does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.domain.things import AT
from thingstead.domain.contact import Contact, decode, encode, merged
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

CLOUD = Contact(
    outbound=True,
    who="cloud.acme.example",
    address="198.51.100.7",
    protocol=6,
    port=443,
    allowed=True,
    by="maker",
    rule="",
    why="its maker says so",
    first=AT,
    last=AT + timedelta(minutes=1),
    flows=1,
    packets_out=3,
    octets_out=300,
    packets_in=2,
    octets_in=2000,
    dropped=0,
)


def test_it_comes_back():
    rows = [CLOUD, replace(CLOUD, protocol=None, port=None, who="02:00:00:00:00:01", allowed=False, dropped=4)]
    assert decode(encode(rows)) == rows
    assert decode(encode([])) == []


def test_the_same_kind_is_added_up_with_the_newest_reason():
    later = replace(
        CLOUD, first=AT + timedelta(1), last=AT + timedelta(2), address="198.51.100.8", by="owner", why="you"
    )
    (one,) = merged([CLOUD, later])
    assert (one.flows, one.packets_out, one.octets_in) == (2, 6, 4000)
    assert (one.first, one.last, one.address, one.by) == (AT, later.last, "198.51.100.8", "owner")
    assert merged([later, CLOUD])[0].first == AT


def test_what_was_refused_for_two_reasons_keeps_both():
    spoofed = replace(CLOUD, allowed=False, by="spoofed", why="not its address", dropped=3)
    nobody = replace(spoofed, by="nobody", why="no rule names it", dropped=1)
    mine = replace(spoofed, by="owner", rule="0a1b2c3d")
    kept = merged([spoofed, nobody, mine, nobody, replace(mine, rule="ffffffff")])
    assert [(one.by, one.rule, one.dropped) for one in kept] == [
        ("spoofed", "", 3),
        ("nobody", "", 2),
        ("owner", "0a1b2c3d", 3),
        ("owner", "ffffffff", 3),
    ]


@pytest.mark.parametrize(
    "changes", [{"outbound": False}, {"who": "x"}, {"protocol": 17}, {"port": 80}, {"allowed": False}]
)
def test_other_kinds_stay_apart(changes):
    assert len(merged([CLOUD, replace(CLOUD, **changes)])) == 2


def _broken():
    (row,) = codec.decode(encode([CLOUD]))
    for place in range(5):
        yield [[*row[:place], None, *row[place + 1 :]]]
    yield [row[:4]]
    yield [[[1, True], *row[1:]]]
    yield [[*row[:4], [*row[4][:5]]]]
    yield [[*row[:3], [row[3][0], -(2**70)], row[4]]]
    yield [[{True: 0, False: 0}, *row[1:]]]
    yield [[row[0], dict.fromkeys("abcde"), *row[2:]]]
    yield [[*row[:2], [6, "443"], *row[3:]]]
    yield [[*row[:4], [*row[4][:5], True]]]
    yield {}
    yield [1]


@pytest.mark.parametrize("value", list(_broken()))
def test_what_is_none_is_refused(value):
    with pytest.raises(DecodeError):
        decode(codec.encode(value))
