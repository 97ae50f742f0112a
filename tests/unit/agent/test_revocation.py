"""What was revoked once is not taken later; of what is not heard nothing is concluded."""

import pytest

from thingstead.agent.revocation import REVOKED, Revocations
from thingstead.agent.story import Request, Wait
from thingstead.errors import StorageError, TransportError
from thingstead.protocols.ace.revocation import encode_full_set
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code


def a_hash(number):
    return b"\x01" + bytes([number]) * 32


def the_list(*numbers):
    return Message(Code.CONTENT, payload=encode_full_set([a_hash(number) for number in numbers], None))


class Home:
    def __init__(self, **kept: bytes) -> None:
        self.kept = kept
        self.full = False

    def load(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def save(self, name: str, value: bytes) -> None:
        if self.full:
            raise StorageError("full")
        self.kept[name] = value

    def delete(self, name: str) -> None:
        del self.kept[name]

    def names(self) -> list[str]:
        return list(self.kept)


class Thing:
    """Revocations whose story has asked for the list."""

    def __init__(self, home=None):
        self.home = home or Home()
        self.revocations = Revocations(self.home)
        self.ended: list[frozenset[bytes]] = []
        self.revocations.on_revoked = self.ended.append
        self.story = self.revocations.story(interval=60.0, retry=2.0)
        asked = next(self.story)
        assert isinstance(asked, Request)
        self.asked = asked

    def notified(self, message):
        assert self.asked.on_notification is not None
        self.asked.on_notification(message)

    def holds(self, number):
        return a_hash(number) in self.revocations


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9770 11.1")
def test_sessions_under_a_revoked_token_end_by_the_answer_and_by_a_notification():
    thing = Thing()
    assert thing.story.send(the_list(1)) == Wait(60.0, "revocations")
    thing.notified(the_list(1, 2))
    assert thing.ended == [{a_hash(1)}, {a_hash(2)}]


@pytest.mark.spec("RFC 9770 11.1")
def test_a_hash_stays_until_the_list_lets_it_go():
    thing = Thing()
    thing.story.send(the_list(1))
    assert thing.holds(1)
    assert not thing.holds(2)
    thing.notified(the_list())
    assert not thing.holds(1)
    assert thing.ended == [{a_hash(1)}]


def test_what_was_revoked_stays_so_after_a_restart():
    thing = Thing()
    thing.story.send(the_list(1))
    assert a_hash(1) in Revocations(thing.home)


def test_a_full_disk_keeps_no_revoked_token_alive_and_is_tried_again():
    thing = Thing()
    thing.home.full = True
    assert thing.story.send(the_list(1)) == Wait(2.0, "revocations")
    assert thing.ended == [{a_hash(1)}]
    thing.home.full = False
    thing.story.send(None)
    thing.story.send(the_list(1))
    assert a_hash(1) in Revocations(thing.home)


@pytest.mark.parametrize("answer", [Message(Code.FORBIDDEN), Message(Code.CONTENT, payload=b"\x00")])
@pytest.mark.spec("RFC 9770 11")
def test_nothing_is_concluded_from_a_refusal_or_nonsense(answer):
    thing = Thing(Home(**{REVOKED: encode_full_set([a_hash(1)], None)}))
    assert thing.story.send(answer) == Wait(2.0, "revocations")
    thing.notified(answer)
    assert thing.holds(1)
    assert thing.ended == []


def test_failures_are_tried_again_ever_more_slowly_and_never_given_up():
    thing = Thing()
    waits = []
    for _ in range(7):
        waits.append(thing.story.throw(TransportError("gone")))
        thing.story.send(None)
    assert waits == [Wait(seconds, "revocations") for seconds in (2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0)]
    thing.story.send(the_list())
    thing.story.send(None)
    assert thing.story.throw(TransportError("gone")) == Wait(2.0, "revocations")


def test_a_damaged_memory_is_no_reason_to_stop():
    thing = Thing(Home(**{REVOKED: b"\x00"}))
    thing.story.send(the_list(1))
    assert thing.holds(1)


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9770 11.1")
def test_without_a_clock_what_is_revoked_stays_so_after_the_list_let_it_go():
    home = Home()
    story = Revocations(home, stays=True).story(interval=60.0, retry=2.0)
    next(story)
    for numbers in ((1, 2), (2,), ()):
        story.send(the_list(*numbers))
        story.send(None)
    again = Revocations(home, stays=True)
    assert {number for number in (1, 2, 3) if a_hash(number) in again} == {1, 2}


@pytest.mark.requirement("R-36")
def test_so_many_stay_and_the_earliest_go_first():
    revocations = Revocations(Home(), stays=True)
    story = revocations.story(interval=60.0, retry=2.0)
    next(story)
    hashes = [b"\x01" + number.to_bytes(32, "big") for number in range(1100)]
    for first in range(0, 1100, 100):
        story.send(Message(Code.CONTENT, payload=encode_full_set(hashes[first : first + 100], None)))
        story.send(None)
    story.send(the_list())
    assert len([one for one in hashes if one in revocations]) == 1024
    assert hashes[-1] in revocations
