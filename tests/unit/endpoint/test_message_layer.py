"""Below both roles: what goes out again, what goes out later, and what is given up."""

import random

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, THING, Ladder, answered
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.exchange import ServerExchange
from thingstead.endpoint.message_layer import MessageLayer, acknowledgement, reset
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code

ASKED = encode(Message(Code.GET, MessageType.CON, 0x1234, b"token", [(11, b"a")]))


def layer(**changes):
    return MessageLayer(EndpointConfig(**changes), random.Random(1).randbytes)


def taken(side):
    found = side.outgoing[:]
    side.outgoing.clear()
    return found


@pytest.mark.spec("RFC 7252 4.2")
@pytest.mark.parametrize(("make", "kind"), [(acknowledgement, MessageType.ACK), (reset, MessageType.RST)])
def test_an_answer_of_the_message_layer_is_empty_and_has_the_message_id(make, kind):
    assert decode(make(ASKED)) == Message(Code.EMPTY, kind, 0x1234)


@pytest.mark.spec("RFC 7252 4.5")
@pytest.mark.parametrize("kind", ["known", "strangers"])
def test_a_duplicate_gets_the_reply_again_whoever_it_is_of(kind):
    side = layer()
    duplicates = getattr(side, kind).duplicates
    assert not side.is_duplicate((THING, ASKED))
    duplicates.remember((THING, ASKED), 0.0)
    assert side.is_duplicate((THING, ASKED))
    assert taken(side) == []
    duplicates.store((THING, ASKED), b"reply")
    assert side.is_duplicate((THING, ASKED))
    assert taken(side) == [(b"reply", THING)]


@pytest.mark.spec("RFC 7252 4.5")
def test_another_source_or_another_datagram_is_no_duplicate():
    side = layer()
    side.known.duplicates.remember((THING, ASKED), 0.0)
    assert not side.is_duplicate((CONTROLLER, ASKED))
    assert not side.is_duplicate((THING, ASKED + b"\xff."))
    assert taken(side) == []


@pytest.mark.spec("RFC 7252 8.2")
def test_what_goes_out_later_is_spread_over_the_leisure_and_keeps_its_order_in_time():
    side = layer()
    for number in range(50):
        side.send_later(bytes((number,)), THING, now=100.0, spread=5.0)
    times = []
    while (deadline := side.next_deadline()) is not None:
        assert side.expire(deadline) == []
        times += [deadline] * len(taken(side))
    assert len(times) == 50
    assert times == sorted(times)
    assert times[0] >= 100.0
    assert times[-1] <= 105.0
    assert times[-1] - times[0] > 3.0


@pytest.mark.requirement("R-36")
def test_no_more_wait_for_later_than_may():
    side = layer(max_queued=3)
    for number in range(10):
        side.send_later(bytes((number,)), THING, now=0.0, spread=5.0)
    side.expire(5.0)
    assert len(taken(side)) == 3


@pytest.mark.spec("RFC 7252 4.2")
def test_the_owner_of_what_nobody_acknowledged_is_told():
    side = layer()
    side.retransmitter.submit(ASKED, THING, 0x1234, owner=7, now=0.0)
    side.send_later(b"later", CONTROLLER, now=0.0, spread=500.0)
    lost: list[int] = []
    while not lost:
        deadline = side.next_deadline()
        assert deadline is not None
        lost = side.expire(deadline)
    assert lost == [7]
    assert [destination for _, destination in taken(side)].count(THING) == 5


def test_an_exchange_is_found_wherever_it_is_and_nowhere_once_it_is_over():
    side = layer()
    exchange = ServerExchange((THING, ASKED), decode(ASKED), 0.0, False)
    assert side.find(1) is None
    for table in (side.known.open, side.strangers.open, side.known.observing, side.strangers.observing):
        table[1] = exchange
        assert side.find(1) is exchange
        del table[1]
    assert side.find(1) is None


def test_an_endpoint_that_relays_lets_what_protection_made_longer_pass_whole():
    assert layer(relays=True).room > layer().room == 1024
    assert layer(block_szx=2).pieces(THING, is_protected=False).room == 64


@pytest.mark.spec("RFC 7252 4.6")
@pytest.mark.parametrize("secured", [False, True], ids=["plain", "OSCORE"])
def test_no_message_of_a_long_exchange_is_longer_than_a_packet_takes(secured):
    ladder = Ladder(secured=secured, respond=lambda event: answered(Code.CONTENT, event.message.payload))
    asked = request(Code.POST, "/a/rather/long/path/to/some/resource", payload=bytes(5000), query=("x=1", "y=2"))
    ladder.ask(asked)
    ladder.run()
    assert len(ladder.response.payload) == 5000
    assert max(len(data) for _, _, data in ladder.wire) <= 1152


@pytest.mark.spec("RFC 7252 4.7")
def test_a_client_has_one_confirmable_request_under_way_at_one_server():
    ladder = Ladder(respond=lambda event: None)
    for _ in range(3):
        ladder.ask(request(Code.GET, "/a"))
    ladder.thing.send_request(request(Code.GET, "/a"), ("192.0.2.9", 5683), 0.0)
    sent = ladder.thing.datagrams_to_send(0.0)
    assert [destination for _, destination in sent] == [CONTROLLER, ("192.0.2.9", 5683)]


@pytest.mark.spec("RFC 7252 4.7")
def test_a_peer_that_does_not_answer_gets_a_byte_a_second_of_what_nobody_acknowledges():
    ladder = Ladder(respond=lambda event: None)
    for _ in range(20):
        ladder.ask(request(Code.GET, "/a"), confirmable=False)
    sent = 0
    for now in range(0, 200, 5):
        sent += sum(len(data) for data, _ in ladder.thing.datagrams_to_send(float(now)))
        assert sent <= now + 20
