"""What changed from one epoch to another: for who was in the first, and for nobody else."""

from dataclasses import replace

import pytest

from tests.unit.protocols.ace.test_groupcomm import DOMAIN, OWN, RIGHT, keys
from thingstead.errors import DecodeError, StateError, UnsupportedError
from thingstead.protocols.ace import groupcomm_rekey
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm import Limits, Peer
from thingstead.protocols.ace.groupcomm_registry import KeyLabel, Parameter, Role
from thingstead.protocols.ace.groupcomm_rekey import Rekeying
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

pytestmark = [pytest.mark.spec("RFC 9594 6"), pytest.mark.requirement("R-63")]

LEAVER = Peer(b"\x06", b"of who left", Role.RESPONDER, RIGHT)
NEWCOMER = Peer(b"\x07", b"of who came", Role.RESPONDER, Scope({}))
BEFORE = keys(members=(*keys().members, LEAVER))
LATER = {"num": 9, "gid": b"pref\x00\x00\x00\x09", "master_secret": Secret(bytes(16))}
TOLD = Rekeying(7, keys(**LATER, members=(NEWCOMER,)), (LEAVER.sender_id,))


def changed(parameter, value):
    fields = codec.decode(TOLD.encode())
    fields[int(parameter)] = value
    return codec.encode(fields)


def test_who_was_in_the_earlier_epoch_has_all_of_the_later_one():
    assert groupcomm_rekey.decode(TOLD.encode()) == TOLD
    assert TOLD.after(BEFORE) == keys(**LATER, members=(*keys().members, NEWCOMER))


def test_it_holds_the_credentials_of_nobody_who_stays():
    assert DOMAIN in BEFORE.encode()
    assert OWN not in TOLD.encode()
    assert len(replace(TOLD, keys=replace(TOLD.keys, members=())).encode()) < 300


def test_all_keys_of_an_epoch_are_told_apart_from_what_changed():
    assert groupcomm_rekey.decode(BEFORE.encode()) == BEFORE


@pytest.mark.parametrize(
    "changes",
    [{"num": 6}, {"num": 8}, {"num": 9}, {"name": "doors"}, {"sender_id": b"\x08"}],
    ids=lambda changes: next(iter(changes)) + str(next(iter(changes.values()))),
)
def test_it_leads_on_from_its_own_epoch_alone(changes):
    with pytest.raises(StateError):
        TOLD.after(replace(BEFORE, **changes))


def test_a_newcomer_that_takes_a_place_has_it_alone():
    again = Rekeying(7, replace(TOLD.keys, members=(replace(NEWCOMER, sender_id=LEAVER.sender_id),)), ())
    assert [peer.credential for peer in again.after(BEFORE).members] == [DOMAIN, OWN, b"of who came"]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (Parameter.STALE_NODE_IDS, None),
        (Parameter.STALE_NODE_IDS, b"\x06"),
        (Parameter.STALE_NODE_IDS, [6]),
        (Parameter.STALE_NODE_IDS, [bytes(33)]),
        (Parameter.STALE_NODE_IDS, [b"\x06"] * 1025),
        (Parameter.BASE_NUM, None),
        (Parameter.BASE_NUM, True),
        (Parameter.BASE_NUM, 0),
        (Parameter.BASE_NUM, 9),
        (Parameter.BASE_NUM, 10),
        (Parameter.BASE_NUM, b"\x07"),
        (Parameter.CREDS, []),
        (Parameter.CREDS, None),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_says_less_or_more_than_changes_is_refused(parameter, value):
    with pytest.raises(DecodeError):
        groupcomm_rekey.decode(changed(parameter, value))


def test_another_profile_is_refused():
    material = codec.decode(TOLD.encode())[int(Parameter.KEY)] | {int(KeyLabel.HKDF): 6}
    with pytest.raises(UnsupportedError):
        groupcomm_rekey.decode(changed(Parameter.KEY, material))


def test_more_than_the_limits_is_refused():
    with pytest.raises(DecodeError):
        groupcomm_rekey.decode(TOLD.encode(), limits=Limits(max_bytes=100))


def test_the_secret_is_not_shown():
    assert "<Secret of 16 bytes>" in repr(TOLD)
