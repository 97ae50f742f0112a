import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import initiator, responder
from thingstead.crypto.key import generate
from thingstead.errors import AuthenticationError, StateError
from thingstead.protocols.edhoc.pending import PendingSessions

pytestmark = [pytest.mark.spec("RFC 9528 9.7"), pytest.mark.requirement("R-36")]


def half_open(c_r):
    message_1, waiting_2 = initiator(ephemeral=generate).message_1()
    accepted = responder(ephemeral=generate).receive(message_1)
    message_2, waiting_3 = accepted.message_2(c_r, rfc.CREDENTIAL_R, key=rfc.p256(rfc.SK_R))
    message_3, _waiting_4 = waiting_2.receive(message_2).authenticate(rfc.CREDENTIAL_R).message_3()
    return waiting_3, message_3


def test_session_is_found_until_it_is_discarded():
    pending = PendingSessions()
    session, _message_3 = half_open(b"\x01")
    pending.add(session, source="a", now=0)
    assert pending.find(b"\x01", now=1) is session
    assert b"\x01" in pending
    pending.discard(b"\x01")
    pending.discard(b"\x01")
    with pytest.raises(StateError):
        pending.find(b"\x01", now=1)


def test_session_runs_out_of_time():
    pending = PendingSessions(lifetime=30)
    pending.add(half_open(b"\x01")[0], source="a", now=0)
    pending.add(half_open(b"\x02")[0], source="a", now=10)
    with pytest.raises(StateError):
        pending.find(b"\x01", now=30)
    assert len(pending) == 1
    pending.expire(40)
    assert len(pending) == 0


def test_flood_evicts_the_oldest_and_the_table_stays_bounded():
    pending = PendingSessions(limit=3)
    for number in range(10):
        pending.add(half_open(bytes([0x80, number]))[0], source="a", now=number)
    assert (len(pending), pending.evicted) == (3, 7)
    assert b"\x80\x09" in pending
    assert b"\x80\x06" not in pending


def test_identifier_names_one_session():
    pending = PendingSessions()
    pending.add(half_open(b"\x01")[0], source="a", now=0)
    with pytest.raises(ValueError, match="one session"):
        pending.add(half_open(b"\x01")[0], source="a", now=0)


def test_forged_message_3_does_not_end_the_session_it_names():
    pending = PendingSessions()
    session, message_3 = half_open(b"\x01")
    pending.add(session, source="a", now=0)
    with pytest.raises(AuthenticationError):
        pending.find(b"\x01", now=1).receive(rfc.MESSAGE_3)
    assert pending.find(b"\x01", now=2).receive(message_3).authenticate(rfc.CREDENTIAL_I).peer == rfc.CREDENTIAL_I


def test_a_quarter_of_the_room_is_a_crowd_until_time_runs_out():
    pending = PendingSessions(limit=8, lifetime=30)
    assert not pending.is_crowded(0)
    pending.add(half_open(b"\x01")[0], source="a", now=0)
    assert not pending.is_crowded(0)
    pending.add(half_open(b"\x02")[0], source="a", now=0)
    assert pending.is_crowded(29)
    assert not pending.is_crowded(30)


def test_a_session_belongs_to_the_source_that_message_2_went_to():
    pending = PendingSessions()
    pending.add(half_open(b"\x01")[0], source="a", now=0)
    assert pending.is_from(b"\x01", "a")
    assert not pending.is_from(b"\x01", "b")
    assert not pending.is_from(b"\x02", "a")


def test_a_flood_from_one_host_pushes_out_itself_and_nobody_else():
    pending = PendingSessions(limit=4)
    pending.add(half_open(b"\x01")[0], source=("192.0.2.1", 5683), now=0)
    for number in range(20):
        pending.add(half_open(bytes([0x80, number]))[0], source=("192.0.2.66", 1000 + number), now=1)
    assert len(pending) == 4
    assert b"\x01" in pending
