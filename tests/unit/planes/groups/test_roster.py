"""What is known of a group without its keys: it goes forward only, and holds no secret."""

import random
from dataclasses import replace

import pytest

from tests.unit.domain.things import AT, a_thing
from tests.unit.planes.groups.parties import LIGHT, LiveGroups
from thingstead.errors import DecodeError
from thingstead.planes.groups import record as group_record
from thingstead.planes.groups.roster import Rosters, decode_roster, encode_roster
from thingstead.protocols.ace.groupcomm import GroupKeys
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.cbor import codec

ONE, TWO, THREE = (a_thing(number).id for number in (1, 2, 3))
RANDOM = random.Random(1).randbytes


def a_group():
    """A record with members, one that left, and one that is barred."""
    record = group_record.create("lamps", random_bytes=RANDOM, at=AT)
    for thing in (ONE, TWO):
        record = record.with_member(thing, thing.encode(), roles=Role.RESPONDER, scope=LIGHT, at=AT)
    return replace(record.without_member(TWO).rekeyed(RANDOM, AT), barred=frozenset({THREE}))


def keys(num):
    return GroupKeys("lamps", num, bytes([num]), a_group().master_secret, b"", b"\0", b"gm", 1, ())


@pytest.mark.requirement("R-63")
def test_a_roster_crosses_as_it_is_and_without_any_secret():
    record = a_group()
    encoded = encode_roster(record.roster())
    assert decode_roster(encoded) == record.roster()
    # Nor where the record itself is given by mistake.
    assert encode_roster(record) == encoded
    assert record.master_secret.reveal() not in encoded
    assert record.master_salt not in encoded
    assert not hasattr(record.roster(), "master_secret")


WHOLE = codec.decode(encode_roster(a_group().roster()))


@pytest.mark.parametrize("item", [None, [], WHOLE[:-1], [*WHOLE, 0], [*WHOLE[:2], 0, *WHOLE[3:]]], ids=range(5))
def test_what_is_no_roster_is_refused(item):
    with pytest.raises(DecodeError, match="how a group stands"):
        decode_roster(codec.encode(item))


@pytest.mark.parametrize("number", [2, 1 << 32], ids=["behind", "beyond"])
def test_a_number_that_no_epoch_has_is_refused(number):
    item = [*WHOLE[:2], number, *WHOLE[3:]]
    if number >= 1 << 32:
        with pytest.raises(DecodeError):
            decode_roster(codec.encode(item))
    else:
        assert decode_roster(codec.encode(item)).num == number


@pytest.mark.requirement("R-63")
def test_no_epoch_comes_back_whichever_answer_comes_first():
    rosters, later = Rosters(LiveGroups()), a_group().roster()
    rosters.keep(later)
    rosters.keep(replace(later, num=later.num - 1, members=()))
    assert rosters.find("lamps") == later
    told = replace(later, barred=frozenset())
    rosters.keep(told)
    assert rosters.all() == (told,)
    assert rosters.find("doors") is None


@pytest.mark.requirement("R-63")
@pytest.mark.spec("RFC 8613 B.1.1")
def test_a_seat_is_taken_once_in_each_epoch_and_never_in_one_before():
    live = LiveGroups()
    rosters = Rosters(live)
    assert rosters.seat("lamps") is None
    for num, fresh in ((2, True), (2, False), (1, True), (2, True), (3, False)):
        rosters.install(keys(num), reserved=0, fresh=fresh)
    assert live.installed == [(b"\2", True), (b"\3", False)]
    assert rosters.seat("lamps") == b"\3"


def test_who_confirmed_an_epoch_has_done_so_whichever_answer_comes_first():
    rosters, asked = Rosters(LiveGroups()), a_group().roster()
    confirmed = asked.confirmed_by([member.sender_id for member in asked.members], asked.num)
    rosters.keep(confirmed)
    rosters.keep(asked)
    assert rosters.all() == (confirmed,)
    rosters.keep(replace(asked, num=asked.num + 1))
    assert len(rosters.all()[0].behind()) == len(asked.members)
