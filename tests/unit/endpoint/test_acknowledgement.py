import pytest

from tests.unit.endpoint.ladder import CONTROLLER, THING, Ladder, answered, endpoint, events
from thingstead.endpoint.event import ExchangeFailed
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code

GET = request(Code.GET, "/a")
CON, NON, ACK, RST = MessageType


def empty(kind, mid):
    return encode(Message(Code.EMPTY, kind, mid))


def asking():
    side = endpoint()
    side.send_request(GET, CONTROLLER, 0.0)
    ((data, _),) = side.datagrams_to_send(0.0)
    return side, decode(data).mid


def goes_on_until_lost(side):
    while (deadline := side.next_deadline()) is not None and deadline < 400.0:
        side.datagrams_to_send(deadline)
        for event in events(side):
            return event.error.reason
    return None


@pytest.mark.spec("RFC 7252 4.2")
def test_an_ack_ends_the_repetitions_of_its_message_and_of_no_other():
    side, mid = asking()
    side.receive_datagram(empty(ACK, (mid + 1) & 0xFFFF), CONTROLLER, 0.1)
    side.receive_datagram(empty(ACK, mid), THING, 0.1)
    assert side.datagrams_to_send(3.5) != []
    side.receive_datagram(empty(ACK, mid), CONTROLLER, 4.0)
    assert goes_on_until_lost(side) == "no-response"


@pytest.mark.spec("RFC 7252 4.2")
def test_a_rst_ends_the_request_that_it_names():
    side, mid = asking()
    side.receive_datagram(empty(RST, mid), CONTROLLER, 0.1)
    (event,) = events(side)
    assert isinstance(event, ExchangeFailed)
    assert event.error.reason == "reset"


@pytest.mark.parametrize("kind", [ACK, RST])
def test_what_names_no_message_of_ours_changes_nothing(kind):
    side, mid = asking()
    side.receive_datagram(empty(kind, (mid + 1) & 0xFFFF), CONTROLLER, 0.1)
    assert (events(side), side.datagrams_to_send(0.1)) == ([], [])


@pytest.mark.spec("RFC 7252 4.3")
def test_a_ping_is_answered_and_a_rst_is_not():
    side = endpoint()
    for kind in (CON, ACK, RST):
        side.receive_datagram(empty(kind, 7), THING, 0.0)
    assert side.datagrams_to_send(0.0) == [(empty(RST, 7), THING)]


@pytest.mark.spec("RFC 7252 5.2.2")
def test_an_ack_to_a_response_is_one_whatever_it_carries():
    ladder = Ladder(respond=lambda event: None)
    ladder.ask(GET)
    ladder.run(until=1.0)
    ladder.controller.send_response(ladder.requests[0].exchange, answered(), 1.0)
    ((data, _),) = ladder.controller.datagrams_to_send(1.0)
    laden = encode(Message(Code.CONTENT, ACK, decode(data).mid, b"", [], b"x"))
    ladder.controller.receive_datagram(laden, THING, 1.1)
    assert ladder.controller.next_deadline() is None or ladder.controller.datagrams_to_send(30.0) == []
