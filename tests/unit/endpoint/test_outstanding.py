import pytest

from thingstead.endpoint.client_exchange import ClientExchange
from thingstead.endpoint.outstanding import Outstanding
from thingstead.errors import StateError
from thingstead.protocols.coap.block import Pieces
from thingstead.protocols.coap.message import Message, MessageType, request
from thingstead.protocols.coap.observe import NotificationOrder
from thingstead.protocols.coap.registry import Code

THERE = ("192.0.2.1", 5683)


def exchange(name, *, observe=False):
    made = ClientExchange(name, request(Code.GET, "/a"), THERE, None, pieces=Pieces(6), is_reliable=False)
    made.observe = observe
    return made


def named(waiting, token, *, mid=-1, source=THERE):
    """Who is answered by a piggybacked response with this token; None if nobody."""
    try:
        return waiting.answered_by(Message(Code.CONTENT, MessageType.ACK, mid, token), source)
    except StateError:
        return None


def table(*exchanges):
    made = Outstanding()
    for one in exchanges:
        made.add(one)
    return made


def test_one_is_found_by_its_id_and_its_newest_token_alone():
    one = exchange(1)
    waiting = table(one, exchange(2))
    for token in (b"a", b"b"):
        waiting.name(one, token)
    assert (waiting.find(1), named(waiting, b"b"), named(waiting, b"a"), waiting.find(3)) == (one, one, None, None)


@pytest.mark.spec("RFC 7641 3.1")
def test_an_observation_keeps_the_token_of_its_registration():
    one = exchange(1, observe=True)
    waiting = table(one)
    waiting.name(one, b"a")
    one.order = NotificationOrder(1, 0.0)
    for token in (b"b", b"c"):
        waiting.name(one, token)
    assert [named(waiting, token) for token in (b"a", b"b", b"c")] == [one, None, one]


@pytest.mark.spec("RFC 7641 3.3.1")
def test_a_registration_that_is_made_again_has_the_new_token_alone():
    one = exchange(1, observe=True)
    waiting = table(one)
    for token in (b"a", b"b"):
        waiting.name(one, token)
    assert (named(waiting, b"a"), one.observe_token) == (None, b"b")


def test_what_is_over_is_found_by_nothing_and_waits_no_more():
    one = exchange(1, observe=True)
    waiting = table(one)
    waiting.name(one, b"a")
    waiting.wait(one, 1.0)
    waiting.remove(one)
    assert (len(waiting), waiting.find(1), named(waiting, b"a"), waiting.next_deadline()) == (0, None, None, None)
    assert list(waiting.overdue(9.0)) == []


def test_a_deadline_that_was_put_off_does_not_count():
    one, other = exchange(1), exchange(2)
    waiting = table(one, other)
    waiting.wait(one, 1.0)
    waiting.wait(other, 2.0)
    waiting.wait(one, 3.0)
    assert waiting.next_deadline() == 2.0
    assert list(waiting.overdue(2.5)) == [other]
    assert list(waiting.overdue(2.5)) == []
    assert list(waiting.overdue(3.0)) == [one]


def test_all_can_be_ended_while_they_are_gone_through():
    waiting = table(exchange(1), exchange(2))
    for one in waiting:
        waiting.remove(one)
    assert len(waiting) == 0


@pytest.mark.spec("RFC 7252 5.3.2")
@pytest.mark.parametrize(
    "wrong", [{"token": b"b"}, {"mid": 7}, {"source": ("192.0.2.9", 5683)}], ids=["token", "message ID", "source"]
)
def test_a_response_that_fits_in_all_but_one_answers_nobody(wrong):
    one = exchange(1)
    waiting = table(one)
    waiting.name(one, b"a")
    fitting = {"token": b"a", "mid": one.mid, "source": THERE}
    assert named(waiting, **fitting) is one
    assert named(waiting, **(fitting | wrong)) is None


def test_a_reset_answers_nobody():
    one = exchange(1)
    waiting = table(one)
    waiting.name(one, b"a")
    with pytest.raises(StateError):
        waiting.answered_by(Message(Code.CONTENT, MessageType.RST, one.mid, b"a"), THERE)
