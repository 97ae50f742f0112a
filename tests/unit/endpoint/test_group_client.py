import pytest

from tests.unit.endpoint.ladder import CONTROLLER, THING, answered, endpoint, events
from thingstead.endpoint.event import ExchangeEnded, ExchangeFailed, RequestReceived, ResponseReceived
from thingstead.errors import StateError
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber

ALL = ("224.0.1.187", 5683)
GET = request(Code.GET, "/.well-known/core")
OTHER = ("192.0.2.3", 5683)


def asked(**changes):
    """A client that has asked all, and what it sent."""
    side = endpoint(**changes)
    name = side.send_request(GET, ALL, 0.0, multicast=True)
    ((data, destination),) = side.datagrams_to_send(0.0)
    assert destination == ALL
    return side, name, decode(data)


def said(sent, *options, code=Code.CONTENT, kind=MessageType.NON, mid=9, payload=b"x"):
    return encode(Message(code, kind, mid, sent.token, list(options), payload))


@pytest.mark.spec("RFC 7252 8.1")
def test_a_request_to_all_goes_out_once_and_is_not_confirmable():
    side, name, sent = asked()
    assert (sent.type, len(sent.token)) == (MessageType.NON, 8)
    side.datagrams_to_send(9.9)
    assert events(side) == []
    assert side.datagrams_to_send(10.0) == []
    (event,) = events(side)
    assert (type(event), event.exchange, event.error.reason) == (ExchangeFailed, name, "no-response")


@pytest.mark.spec("RFC 7252 8.2")
def test_a_response_is_matched_by_its_token_whoever_sends_it():
    side, name, sent = asked()
    for source in (CONTROLLER, OTHER):
        side.receive_datagram(said(sent), source, 1.0)
    found = events(side)
    assert [(type(event), event.exchange, event.source) for event in found] == [
        (ResponseReceived, name, CONTROLLER),
        (ResponseReceived, name, OTHER),
    ]
    side.datagrams_to_send(10.0)
    assert [type(event) for event in events(side)] == [ExchangeEnded]
    side.receive_datagram(said(sent), THING, 11.0)
    assert events(side) == []


@pytest.mark.spec("RFC 7252 8.2")
@pytest.mark.parametrize(
    "datagram",
    [
        lambda sent: said(sent, kind=MessageType.ACK, mid=sent.mid),
        lambda sent: said(sent, kind=MessageType.RST),
        lambda sent: said(sent, (int(OptionNumber.OSCORE), b"")),
        lambda sent: said(sent, (65001, b"")),
        lambda sent: said(sent, (int(OptionNumber.BLOCK2), b"\x0e")),
        lambda sent: said(sent)[:-2] + b"\xff",
    ],
    ids=["ACK", "RST", "OSCORE", "critical", "block", "malformed"],
)
def test_what_is_no_response_to_all_is_passed_over(datagram):
    side, _, sent = asked()
    side.receive_datagram(datagram(sent), CONTROLLER, 1.0)
    assert (events(side), sum(side.counters.values())) == ([], 1)


@pytest.mark.requirement("R-51")
def test_one_response_of_each_server_is_taken_and_of_so_many_servers():
    side, _, sent = asked(max_group_responses=2)
    for source in (CONTROLLER, CONTROLLER, OTHER, THING):
        side.receive_datagram(said(sent), source, 1.0)
    assert [event.source for event in events(side)] == [CONTROLLER, OTHER]
    assert side.counters == {"duplicate": 2}


def test_a_confirmable_response_is_acknowledged_each_time_and_taken_once():
    side, _, sent = asked()
    for _ in range(2):
        side.receive_datagram(said(sent, kind=MessageType.CON), CONTROLLER, 1.0)
    assert side.datagrams_to_send(1.0) == [(bytes.fromhex("60000009"), CONTROLLER)] * 2
    assert len(events(side)) == 1


def test_a_request_to_all_is_in_one_datagram_and_bounded_and_has_a_destination():
    side = endpoint(max_requests=1)
    with pytest.raises(ValueError, match="1024"):
        side.send_request(request(Code.POST, "/a", payload=bytes(2000)), ALL, 0.0, multicast=True)
    with pytest.raises(StateError):
        side.send_request(GET, None, 0.0, multicast=True)
    name = side.send_request(GET, ALL, 0.0, multicast=True)
    with pytest.raises(StateError):
        side.send_request(GET, ALL, 0.0, multicast=True)
    side.cancel(name, 0.0)
    side.send_request(GET, ALL, 0.0, multicast=True)


@pytest.mark.spec("RFC 7252 8.2.1")
def test_nobody_asks_all_whether_an_entity_tag_still_holds():
    side = endpoint()
    with pytest.raises(ValueError, match="ETag"):
        side.send_request(GET.with_options((OptionNumber.ETAG, b"t")), ALL, 0.0, multicast=True)
    assert (side.datagrams_to_send(0.0), side.next_deadline()) == ([], None)


@pytest.mark.spec("RFC 7252 8.2")
def test_our_own_server_answers_all_in_its_leisure():
    side, _, sent = asked()
    server = endpoint(2)
    server.receive_datagram(encode(sent), THING, 0.0, multicast=True)
    (event,) = events(server)
    assert isinstance(event, RequestReceived)
    server.send_response(event.exchange, answered(payload=b"</a>"), 0.0)
    assert server.datagrams_to_send(0.0) == []
    ((data, _),) = server.datagrams_to_send(5.0)
    side.receive_datagram(data, CONTROLLER, 5.0)
    assert [event.message.payload for event in events(side)] == [b"</a>"]
