import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import initiator, responder
from thingstead.crypto.key import generate
from thingstead.errors import AuthenticationError, StateError
from thingstead.protocols.edhoc.pending import PendingSessions
from thingstead.protocols.edhoc.responder import WaitingForMessage3

pytestmark = [pytest.mark.spec("RFC 9528 9.7"), pytest.mark.requirement("R-36")]


def half_open(c_r):
    message_1, waiting_2 = initiator(ephemeral=generate).message_1()
    accepted = responder(ephemeral=generate).receive(message_1)
    message_2, waiting_3 = accepted.message_2(c_r, rfc.CREDENTIAL_R, key=rfc.p256(rfc.SK_R))
    message_3, _waiting_4 = waiting_2.receive(message_2).authenticate(rfc.CREDENTIAL_R).message_3()
    return waiting_3, message_3


def test_session_is_found_until_it_is_discarded():
    pending = PendingSessions[WaitingForMessage3]()
    session, _message_3 = half_open(b"\x01")
    pending.add(session, source="a", now=0)
    assert pending.find(b"\x01", now=1) is session
    assert b"\x01" in pending
    pending.discard(b"\x01")
    pending.discard(b"\x01")
    with pytest.raises(StateError):
        pending.find(b"\x01", now=1)


def test_session_runs_out_of_time():
    pending = PendingSessions[WaitingForMessage3](lifetime=30)
    pending.add(half_open(b"\x01")[0], source="a", now=0)
    pending.add(half_open(b"\x02")[0], source="a", now=10)
    with pytest.raises(StateError):
        pending.find(b"\x01", now=30)
    assert len(pending) == 1
    pending.expire(40)
    assert len(pending) == 0


def test_flood_evicts_the_oldest_and_the_table_stays_bounded():
    pending = PendingSessions[WaitingForMessage3](limit=3)
    for number in range(10):
        pending.add(half_open(bytes([0x80, number]))[0], source=("192.0.2.1", number), now=number)
        pending.add(half_open(bytes([0x81, number]))[0], source=f"host {number}", now=number)
    assert (len(pending), pending.evicted) == (3, 17)
    assert b"\x80\x09" in pending
    assert b"\x80\x08" not in pending


def test_one_host_holds_half_of_the_table():
    pending = PendingSessions[WaitingForMessage3](limit=8)
    for number in range(10):
        pending.add(half_open(bytes([0x80, number]))[0], source=("192.0.2.1", number), now=0)
    assert (len(pending), pending.evicted) == (4, 6)
    assert b"\x80\x05" not in pending
    assert b"\x80\x06" in pending


def test_identifier_names_one_session():
    pending = PendingSessions[WaitingForMessage3]()
    pending.add(half_open(b"\x01")[0], source="a", now=0)
    with pytest.raises(ValueError, match="one session"):
        pending.add(half_open(b"\x01")[0], source="a", now=0)


def test_forged_message_3_does_not_end_the_session_it_names():
    pending = PendingSessions[WaitingForMessage3]()
    session, message_3 = half_open(b"\x01")
    pending.add(session, source="a", now=0)
    with pytest.raises(AuthenticationError):
        pending.find(b"\x01", now=1).receive(rfc.MESSAGE_3)
    assert pending.find(b"\x01", now=2).receive(message_3).authenticate(rfc.CREDENTIAL_I).peer == rfc.CREDENTIAL_I


def test_a_quarter_of_the_room_is_a_crowd_until_time_runs_out():
    pending = PendingSessions[WaitingForMessage3](limit=8, lifetime=30)
    assert not pending.is_crowded(0)
    pending.add(half_open(b"\x01")[0], source="a", now=0)
    assert not pending.is_crowded(0)
    pending.add(half_open(b"\x02")[0], source="a", now=0)
    assert pending.is_crowded(29)
    assert not pending.is_crowded(30)


def test_a_session_belongs_to_the_source_that_message_2_went_to():
    pending = PendingSessions[WaitingForMessage3]()
    pending.add(half_open(b"\x01")[0], source="a", now=0)
    assert pending.is_from(b"\x01", "a")
    assert not pending.is_from(b"\x01", "b")
    assert not pending.is_from(b"\x02", "a")


def test_a_flood_from_one_host_pushes_out_itself_and_nobody_else():
    pending = PendingSessions[WaitingForMessage3](limit=4)
    pending.add(half_open(b"\x01")[0], source=("192.0.2.1", 5683), now=0)
    for number in range(20):
        pending.add(half_open(bytes([0x80, number]))[0], source=("192.0.2.66", 1000 + number), now=1)
    assert len(pending) == 3
    assert b"\x01" in pending


class Door:
    """A Responder with its table, and an Echo round for sources that have not shown themselves (RFC 9528 §9.7)."""

    def __init__(self, limit):
        self.pending = PendingSessions[WaitingForMessage3](limit=limit)
        self.responder = responder(ephemeral=generate)
        self.answered = self.challenged = self.largest = 0

    def knock(self, message_1, source, now, *, shown=False):
        """C_R and message_2, or None where the source has to come back with its Echo value."""
        if not shown and self.pending.is_crowded(now):
            self.challenged += 1
            return None
        self.answered += 1
        c_r = b"\x80" + self.answered.to_bytes(4, "big")
        accepted = self.responder.receive(message_1)
        message_2, waiting = accepted.message_2(c_r, rfc.CREDENTIAL_R, key=rfc.p256(rfc.SK_R))
        self.pending.add(waiting, source=source, now=now)
        self.largest = max(self.largest, len(self.pending))
        return c_r, message_2

    def join(self, source, start, round_trip, meanwhile):
        """A thing joins while `meanwhile` passes the time of a flood; its session has to be there still."""
        offer, waiting_2 = initiator(ephemeral=generate).message_1()
        now = start
        answer = self.knock(offer, source, now)
        if answer is None:
            now = meanwhile(now + round_trip)
            answer = self.knock(offer, source, now, shown=True)
        c_r, message_2 = answer
        message_3, waiting_4 = waiting_2.receive(message_2).authenticate(rfc.CREDENTIAL_R).message_3()
        now = meanwhile(now + round_trip)
        received = self.pending.find(c_r, now=now).receive(message_3)
        self.pending.discard(c_r)
        message_4, completed = received.authenticate(rfc.CREDENTIAL_I).message_4()
        assert waiting_4.receive(message_4).oscore().master_secret == completed.oscore().master_secret
        return now


@pytest.mark.parametrize("forged", ["of everybody", "of the thing"])
@pytest.mark.slow
def test_a_million_message_1_from_forged_sources_leave_a_joining_thing_unharmed(forged):
    """10,000 in a second, each from another source or all in the name of the thing."""
    size = 1_000_000
    thing = ("2001:db8::17", 5683)
    door = Door(limit=64)
    rate, message_1 = 10_000, initiator(ephemeral=generate).message_1()[0]
    sent = joins = 0

    def flood_until(then):
        nonlocal sent
        while sent < rate * then:
            source = thing if forged == "of the thing" else (f"2001:db8:f::{sent:x}", 5683)
            door.knock(message_1, source, sent / rate)
            sent += 1
        return then

    now = 0.0
    while sent < size:
        now = flood_until(door.join(thing, now, 0.9, flood_until))
        joins += 1
    assert joins >= size // rate // 3
    assert door.largest <= 64 // 4 + 1
    assert door.pending.evicted == 0
    assert door.answered - joins <= 17 * (1 + now // 30)
