"""What one datagram does to an endpoint, whatever its role: matched, rejected, or passed over."""

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, SECURED, THING, Ladder, answered, context, endpoint, events
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import ExchangeFailed, ResponseReceived
from thingstead.errors import StateError
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber

GET = request(Code.GET, "/a")
CON, NON, ACK, RST = MessageType
both = pytest.mark.parametrize("secured", [False, True], ids=["plain", "OSCORE"])


def sent(side, now=0.0):
    return [decode(data) for data, _ in side.datagrams_to_send(now)]


def separate(code=Code.GET):
    """A server whose confirmable response waits for its acknowledgement; and that response."""
    side = endpoint()
    side.receive_datagram(encode(Message(code, CON, 7, b"token", payload=bytes(100))), THING, 0.0)
    (event,) = events(side)
    assert [message.code for message in sent(side, 1.0)] == [Code.EMPTY]
    side.send_response(event.exchange, answered(), 1.0)
    (response,) = sent(side, 1.0)
    assert response.type is CON
    return side, response


@pytest.mark.spec("RFC 7252 5.2.2")
@pytest.mark.parametrize(
    "answer",
    [
        Message(Code.EMPTY, ACK),
        Message(Code.CONTENT, ACK, payload=b"what for"),
        Message(Code.CONTENT, ACK, token=b"token"),
        Message(Code.EMPTY, RST),
    ],
    ids=["ACK", "ACK with a response", "ACK with our token", "RST"],
)
def test_a_response_that_is_acknowledged_in_any_form_is_not_repeated(answer):
    side, response = separate()
    answer.mid = response.mid
    side.receive_datagram(encode(answer), THING, 1.5)
    assert (side.datagrams_to_send(100.0), side.next_deadline()) == ([], None)


@pytest.mark.spec("RFC 7252 4.4")
@pytest.mark.parametrize(("source", "change"), [(CONTROLLER, 0), (THING, 1)], ids=["another source", "another ID"])
def test_an_acknowledgement_of_something_else_stops_nothing(source, change):
    side, response = separate()
    for kind, code in ((ACK, Code.EMPTY), (ACK, Code.CONTENT), (RST, Code.EMPTY)):
        side.receive_datagram(encode(Message(code, kind, response.mid ^ change)), source, 1.5)
    assert [message.mid for message in sent(side, 10.0)] == [response.mid]


@pytest.mark.spec("RFC 7252 4.1")
@pytest.mark.parametrize("first", ["61", "71"], ids=["ACK", "RST"])
def test_an_empty_message_that_announces_a_token_acknowledges_nothing(first):
    side, response = separate()
    side.receive_datagram(bytes.fromhex(first + "00") + response.mid.to_bytes(2, "big"), THING, 1.5)
    assert [message.mid for message in sent(side, 10.0)] == [response.mid]


@pytest.mark.spec("RFC 7252 4.2")
@pytest.mark.parametrize("code", [0, 1, 0x45, 0x20, 0xE1], ids=["empty", "request", "response", "reserved", "signal"])
@pytest.mark.parametrize("kind", [ACK, RST], ids=["ACK", "RST"])
@pytest.mark.parametrize("end", [b"", b"\xff", b"\x99"], ids=["whole", "bare marker", "cut short"])
def test_an_acknowledgement_or_a_reset_is_never_answered(code, kind, end):
    side = endpoint()
    side.receive_datagram(bytes((0x40 | kind << 4, code, 0, 1)) + end, THING, 0.0)
    assert (side.datagrams_to_send(0.0), events(side)) == ([], [])


@pytest.mark.spec("RFC 7252 5.2.3")
@pytest.mark.parametrize(("asked", "kind"), [(True, NON), (False, CON)], ids=["CON, NON", "NON, CON"])
def test_a_response_may_come_in_another_way_than_the_request_went(asked, kind):
    side = endpoint()
    side.send_request(GET, CONTROLLER, 0.0, confirmable=asked)
    (message,) = sent(side)
    side.receive_datagram(encode(Message(Code.CONTENT, kind, 99, message.token)), CONTROLLER, 1.0)
    (event,) = events(side)
    assert (type(event), event.is_last) == (ResponseReceived, True)
    assert [(reply.type, reply.code, reply.mid) for reply in sent(side, 1.0)] == [(ACK, Code.EMPTY, 99)] * (kind is CON)
    assert sent(side, 100.0) == []


@pytest.mark.spec("RFC 7252 5.3.2")
def test_a_response_before_the_acknowledgement_of_its_request_ends_its_repetition():
    side = endpoint()
    side.send_request(GET, CONTROLLER, 0.0)
    (message,) = sent(side)
    response = encode(Message(Code.CONTENT, CON, 99, message.token))
    side.receive_datagram(response, CONTROLLER, 1.0)
    side.receive_datagram(encode(Message(Code.EMPTY, ACK, message.mid)), CONTROLLER, 1.1)
    side.receive_datagram(response, CONTROLLER, 1.2)
    assert len(events(side)) == 1
    assert [(reply.type, reply.mid) for reply in sent(side, 100.0)] == [(ACK, 99), (ACK, 99)]


@pytest.mark.spec("RFC 7252 5.4")
def test_a_response_with_a_critical_option_of_requests_is_rejected():
    side = endpoint()
    side.send_request(GET, CONTROLLER, 0.0)
    (message,) = sent(side)
    answer = Message(Code.CONTENT, CON, 9, message.token, [(int(OptionNumber.URI_PATH), b"a")])
    side.receive_datagram(encode(answer), CONTROLLER, 1.0)
    assert [(reply.type, reply.mid) for reply in sent(side, 1.0)] == [(RST, 9)]
    assert [type(event) for event in events(side)] == [ExchangeFailed]


def observing():
    """A thing that observes the controller under OSCORE; and the notifications, kept back, that came after."""
    ladder = Ladder(secured=True, respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE))
    ladder.ask(GET, observe=True)
    ladder.pump()
    ladder.wire.clear()
    return ladder


def notification(ladder, payload, *, at):
    ladder.now = at
    ladder.controller.send_response(ladder.requests[0].exchange, answered(Code.CONTENT, payload, OBSERVE), at)
    ((data, _),) = ladder.controller.datagrams_to_send(at)
    return data


def is_observed(ladder):
    ladder.seen.clear()
    ladder.controller.send_response(1, answered(Code.CONTENT, b"still", OBSERVE), ladder.now)
    ladder.pump()
    return [event.message.payload for event in ladder.results()] == [b"still"]


@pytest.mark.spec("RFC 8613 8.4.2")
def test_a_notification_that_comes_twice_does_not_cancel_the_observation():
    ladder = observing()
    data = notification(ladder, b"1", at=10.0)
    for _ in range(3):
        ladder.thing.receive_datagram(data, CONTROLLER, 10.0)
    ladder.pump()
    assert ladder.sent(THING) == []
    assert is_observed(ladder)


@pytest.mark.spec("RFC 8613 8.4.2")
@pytest.mark.parametrize("kind", [CON, NON], ids=["CON", "NON"])
def test_a_forged_notification_does_not_cancel_the_observation(kind):
    ladder = observing()
    genuine = decode(notification(ladder, b"1", at=10.0))
    forged = Message(genuine.code, kind, genuine.mid, genuine.token, genuine.options, bytes(len(genuine.payload)))
    ladder.thing.receive_datagram(encode(forged), CONTROLLER, 10.0)
    ladder.pump()
    assert ladder.sent(THING) == []
    assert is_observed(ladder)


@pytest.mark.spec("RFC 8613 8.4")
@pytest.mark.requirement("R-55")
@pytest.mark.parametrize(
    "put_in",
    [
        (OptionNumber.URI_HOST, b"h"),
        (OptionNumber.URI_HOST, b""),
        (OptionNumber.URI_PORT, b"\x01"),
        (OptionNumber.PROXY_URI, b"coap://h"),
        (OptionNumber.PROXY_SCHEME, b"coap"),
        (OptionNumber.HOP_LIMIT, b"\x00"),
        (OptionNumber.MAX_AGE, b"\xff"),
        (OptionNumber.IF_MATCH, b""),
        (65001, b""),
        (65003, b""),
    ],
    ids=str,
)
def test_an_option_that_somebody_puts_outside_of_a_notification_changes_nothing(put_in):
    ladder = observing()
    data = notification(ladder, b"1", at=10.0)
    message = decode(data)
    message.type = CON
    ladder.thing.receive_datagram(encode(message.with_options(put_in)), CONTROLLER, 10.0)
    ladder.pump()
    assert [event.message.payload for event in ladder.results()] == [b"0", b"1"]
    assert [reply.type for reply in ladder.sent(THING)] == [ACK]


@pytest.mark.spec("RFC 7252 4.5")
def test_a_confirmable_notification_that_was_overtaken_is_acknowledged_and_not_shown():
    ladder = observing()
    first = notification(ladder, b"1", at=10.0)
    second = notification(ladder, b"2", at=11.0)
    assert decode(second).type is CON
    late = decode(first)
    late.type = CON
    for data in (second, encode(late)):
        ladder.thing.receive_datagram(data, CONTROLLER, 11.0)
    ladder.pump()
    assert [event.message.payload for event in ladder.results()] == [b"0", b"2"]
    assert [message.type for message in ladder.sent(THING)] == [ACK, ACK]


@both
@pytest.mark.spec("RFC 7641 3.6")
def test_a_notification_of_what_is_not_observed_is_reset(secured):
    ladder = Ladder(secured=secured, respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE))
    name = ladder.ask(GET, observe=True)
    ladder.pump()
    data = notification(ladder, b"1", at=10.0)
    ladder.thing.cancel(name, 10.0)
    ladder.thing.datagrams_to_send(10.0)
    ladder.thing.receive_datagram(data, CONTROLLER, 10.0)
    (reply,) = sent(ladder.thing, 10.0)
    assert (reply.type, reply.mid) == (RST, decode(data).mid)


def test_a_request_under_an_association_that_is_gone_is_refused_at_once():
    side = endpoint()
    side.install(Association(SECURED, context(), address=CONTROLLER))
    side.send_request(GET, None, 0.0, association=SECURED)
    side.end(SECURED)
    assert [type(event) for event in events(side)][-1] is ExchangeFailed
    with pytest.raises(StateError, match="association"):
        side.send_request(GET, CONTROLLER, 0.0, association=SECURED)
