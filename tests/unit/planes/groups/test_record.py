import random
from dataclasses import replace

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.errors import DecodeError, StateError
from thingstead.planes.groups import record as group_record
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.cbor import codec

ONE, TWO, THREE = (a_thing(number).id for number in (1, 2, 3))
LIGHT = Scope({"/light": 4})
random_bytes = random.Random(1).randbytes


def a_group(*things):
    record = group_record.create("lamps", random_bytes=random_bytes, at=AT)
    for thing in things:
        record = joined(record, thing)
    return record


def joined(record, thing, credential=b""):
    return record.with_member(thing, credential or thing.encode(), roles=Role.RESPONDER, scope=LIGHT, at=AT)


def members(record):
    return [(member.thing, member.sender_id) for member in record.members]


@pytest.mark.spec("RFC 10021 2.1.3")
@pytest.mark.requirement("R-63")
def test_an_epoch_has_a_gid_and_secrets_that_none_before_it_had():
    epochs = [a_group(ONE)]
    for _ in range(20):
        epochs.append(epochs[-1].rekeyed(random_bytes, AT))
    assert len({record.gid for record in epochs}) == 21
    assert len({record.master_secret.reveal() for record in epochs}) == 21
    assert {members(record)[0] for record in epochs} == {(ONE, b"\1")}


def test_a_new_epoch_begins_with_no_number_spent_and_every_member_behind():
    record = a_group(ONE, TWO).confirmed_by([b"\1", b"\2"], 1)
    assert record.behind() == ()
    later = record.rekeyed(random_bytes, AT)
    assert (later.num, later.reserved, len(later.behind())) == (2, 0, 2)


@pytest.mark.spec("RFC 10021 2.2")
def test_a_sender_id_is_given_once_whoever_leaves_or_comes_back():
    record = joined(joined(a_group(ONE, TWO).without_member(ONE), THREE), ONE)
    assert members(record) == [(TWO, b"\2"), (THREE, b"\3"), (ONE, b"\4")]
    assert members(joined(record, TWO)) == [(THREE, b"\3"), (ONE, b"\4"), (TWO, b"\5")]


@pytest.mark.spec("RFC 10021 2.2")
@pytest.mark.parametrize(("number", "sender_id"), [(255, b"\xff"), (256, b"\1\0"), ((1 << 56) - 1, b"\xff" * 7)])
def test_a_sender_id_is_as_short_as_its_number(number, sender_id):
    record = replace(a_group(), next_sender=number)
    assert members(joined(record, ONE)) == [(ONE, sender_id)]


@pytest.mark.spec("RFC 10021 2.2")
def test_a_group_whose_sender_ids_are_used_up_takes_nobody():
    full = replace(a_group(), next_sender=1 << 56)
    with pytest.raises(StateError, match="no Sender ID left"):
        joined(full, ONE)


def test_a_thing_that_left_is_asked_about_by_the_credential_it_left_with():
    record = a_group(ONE, TWO).without_member(ONE)
    assert record.member(ONE) is None
    assert record.credential_of(ONE) == ONE.encode()
    assert record.credential_of(THREE) is None
    back = joined(record, ONE, b"another")
    assert (back.credential_of(ONE), back.departed) == (b"another", ())
    assert back.without_member(ONE).departed == ((ONE, b"another"),)


def test_who_is_no_member_cannot_leave():
    record = a_group(ONE)
    assert record.without_member(TWO) is record


def test_an_epoch_is_confirmed_by_the_place_that_has_it_and_never_taken_back():
    record = a_group(ONE, TWO).confirmed_by([b"\1", b"\7"], 1)
    assert [member.thing for member in record.behind()] == [TWO]
    assert record.confirmed_by([b"\1"], 0).behind() == record.behind()
    assert joined(record, ONE).confirmed_by([b"\1"], 1).behind() == joined(record, ONE).behind()


def test_what_is_on_disk_is_read_back_whole():
    record = joined(a_group(ONE, TWO, THREE).without_member(TWO), THREE).confirmed_by([b"\1"], 1)
    record = replace(record, reserved=9, barred=frozenset({TWO}))
    assert group_record.decode(record.encode()) == record


WHOLE = codec.decode(a_group(ONE, TWO).without_member(TWO).encode())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, 2),
        (1, b"lamps"),
        (2, "pref"),
        (3, None),
        (3, True),
        (3, 0),
        (3, 1 << 32),
        (6, 1 << 62),
        (7, "1"),
        (7, -1),
        (9, -1),
        (10, [[]]),
        (10, [WHOLE[10][0][:-1]]),
        (10, [["lamp", *WHOLE[10][0][1:]]]),
        (10, [[*WHOLE[10][0][:3], 1 << 40, *WHOLE[10][0][4:]]]),
        (10, [[*WHOLE[10][0][:4], b"\xff", *WHOLE[10][0][5:]]]),
        (11, [ONE]),
        (11, [[ONE]]),
        (11, [[ONE, "credential"]]),
        (11, [["lamp", b""]]),
        (11, [[1, b""]]),
        (11, [None]),
        (12, ["lamp"]),
        (12, [1]),
        (12, [[ONE]]),
    ],
)
def test_a_damaged_document_is_refused(place, value):
    damaged = [*WHOLE]
    damaged[place] = value
    with pytest.raises(DecodeError):
        group_record.decode(codec.encode(damaged))


@pytest.mark.parametrize("item", [None, [], {}, WHOLE[:-1], [*WHOLE, 0], b"", 1], ids=repr)
def test_what_is_no_group_at_all_is_refused(item):
    with pytest.raises(DecodeError, match="format 1"):
        group_record.decode(codec.encode(item))
