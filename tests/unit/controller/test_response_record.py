"""A response is read back as it was kept, and nothing else is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.controller.response_record import PlaneTime, Response, decode, encode, response_id
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.plane import PlaneName
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

THING = a_thing().id
BEGUN = Response(
    "3f2a9c41d07b", THING, "hall", "scan", "it looks around", AT - timedelta(seconds=2), AT, Restriction.HELD
)
DONE = replace(
    BEGUN,
    planes=(PlaneTime(PlaneName.NETWORK, 1.5, "barred"), PlaneTime(PlaneName.ACCESS, None, "down")),
    ended_at=AT,
    ended_by="owner",
)


@pytest.mark.parametrize("response", [BEGUN, DONE])
def test_it_comes_back(response):
    assert decode(encode(response)) == response


def test_the_time_until_it_was_noticed_counts_from_the_first_packet():
    assert BEGUN.noticed_after == 2000
    assert replace(BEGUN, first=AT + timedelta(hours=1)).noticed_after == 0


def test_each_has_a_name_of_its_own():
    names = {response_id(thing, at) for thing in (THING, a_thing(1).id) for at in (AT, AT + timedelta(microseconds=1))}
    assert len(names) == 4


def _broken():
    good = codec.decode(encode(DONE))
    for place in range(5):
        yield [*good[:place], None, *good[place + 1 :]]
    yield [*good, 1]
    yield [*good[:3], "free", good[4]]
    yield [*good[:4], [["roof", 1, ""]]]
    yield [*good[:4], [["access", "1", ""]]]
    yield [good[0], ["nobody", *good[1][1:]], *good[2:]]
    yield {}


@pytest.mark.parametrize("value", list(_broken()))
def test_what_is_none_is_refused(value):
    with pytest.raises(DecodeError):
        decode(codec.encode(value))
