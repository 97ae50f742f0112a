"""Echo values that come to a client otherwise than as a challenge of the server (RFC 9175 §2.3, §2.4)."""

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, SECURED, THING, Ladder, answered, context, endpoint, events
from thingstead.endpoint.association import Association
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber

# --- Echo values that nobody asked for yet (RFC 9175 §2.3)


def preemptive(event):
    return answered(Code.CONTENT, b"x", (OptionNumber.ECHO, b"first" if event.exchange == 1 else b"later"))


def echoes(ladder):
    return [message.option(OptionNumber.ECHO) for message in ladder.sent(THING)]


@pytest.mark.spec("RFC 9175 2.3")
def test_an_echo_value_that_comes_with_a_response_goes_back_with_the_next_request_once():
    ladder = Ladder(respond=lambda event: preemptive(event) if event.exchange == 1 else answered())
    for _ in range(3):
        ladder.ask(request(Code.GET, "/a"))
        ladder.pump()
    assert echoes(ladder) == [None, b"first", None]


@pytest.mark.spec("RFC 9175 2.3")
def test_an_echo_value_goes_to_no_other_endpoint():
    ladder = Ladder(respond=preemptive)
    ladder.ask(request(Code.GET, "/a"))
    ladder.pump()
    ladder.thing.send_request(request(Code.GET, "/a"), ("192.0.2.9", 5683), ladder.now)
    ladder.thing.install(Association(SECURED, context()))
    ladder.thing.send_request(request(Code.GET, "/a"), CONTROLLER, ladder.now, association=SECURED)
    sent = [decode(data) for data, _ in ladder.thing.datagrams_to_send(ladder.now)]
    assert [message.option(OptionNumber.ECHO) for message in sent] == [None, None]


@pytest.mark.spec("RFC 9175 2.3")
def test_an_inner_echo_value_goes_back_inside():
    ladder = Ladder(respond=preemptive, secured=True)
    for _ in range(2):
        ladder.ask(request(Code.GET, "/a"))
        ladder.pump()
    assert echoes(ladder) == [None, None]
    _, second = ladder.requests
    assert second.request.option(OptionNumber.ECHO) == b"first"


@pytest.mark.spec("RFC 9175 2.2.1")
@pytest.mark.parametrize("value", [b"", bytes(41)])
def test_an_echo_value_of_a_length_that_none_has_is_passed_over(value):
    ladder = Ladder()
    ladder.ask(request(Code.GET, "/a"))
    ((data, _),) = ladder.thing.datagrams_to_send(0.0)
    asked = decode(data)
    response = Message(Code.CONTENT, MessageType.ACK, asked.mid, asked.token)
    ladder.thing.receive_datagram(raw_with_echo(response, value), CONTROLLER, 0.0)
    ladder.ask(request(Code.GET, "/a"))
    ladder.pump()
    assert echoes(ladder) == [None]


def raw_with_echo(message, value):
    """Also of lengths that our encoder refuses."""
    size = bytes((0xD0 | min(len(value), 13), 252 - 13)) + (bytes((len(value) - 13,)) if len(value) > 12 else b"")
    return encode(message) + size + value


def test_values_that_are_kept_are_bounded():
    ladder = Ladder(respond=preemptive, max_peers=2)
    sender = ladder.thing._client._sender
    for number in range(4):
        ladder.sides[("192.0.2.2", number)] = ladder.controller
        ladder.thing.send_request(request(Code.GET, "/a"), ("192.0.2.2", number), 0.0)
        ((data, destination),) = ladder.thing.datagrams_to_send(0.0)
        asked = decode(data)
        echo = [(int(OptionNumber.ECHO), b"e")]
        response = Message(Code.CONTENT, MessageType.ACK, asked.mid, asked.token, echo)
        ladder.thing.receive_datagram(encode(response), destination, 0.0)
    assert len(sender._echoes) == 2


# --- somebody on the way asks whether we are where we say (RFC 9175 §2.4)


def protected_request(side, now=0.0):
    (sent,) = [decode(data) for data, _ in side.datagrams_to_send(now)]
    return sent


def challenge(message, echo=b"outer"):
    options = [] if echo is None else [(int(OptionNumber.ECHO), echo)]
    return encode(Message(Code.UNAUTHORIZED, MessageType.ACK, message.mid, message.token, options))


def asking_under_oscore():
    side = endpoint()
    side.install(Association(SECURED, context()))
    side.send_request(request(Code.GET, "/a"), CONTROLLER, 0.0, association=SECURED)
    return side


@pytest.mark.spec("RFC 9175 2.3")
def test_an_outer_echo_value_goes_back_outside_of_the_same_protected_message():
    side = asking_under_oscore()
    first = protected_request(side)
    side.receive_datagram(challenge(first), CONTROLLER, 0.0)
    second = protected_request(side)
    assert (first.option(OptionNumber.ECHO), second.option(OptionNumber.ECHO)) == (None, b"outer")
    assert first.option(OptionNumber.OSCORE) == second.option(OptionNumber.OSCORE)
    assert (first.payload, first.mid == second.mid, first.token == second.token) == (second.payload, False, False)
    side.receive_datagram(challenge(second, b"later"), CONTROLLER, 0.0)
    assert protected_request(side).option_values(OptionNumber.ECHO) == [b"later"]


@pytest.mark.spec("RFC 8613 D.5.3")
@pytest.mark.requirement("R-15")
def test_whoever_holds_a_response_back_and_asks_for_an_echo_has_nothing_done_twice():
    ladder = Ladder(secured=True, respond=lambda event: answered(Code.CHANGED))
    ladder.ask(request(Code.POST, "/where"))
    ladder.pump()
    ladder.ask(request(Code.POST, "/door", payload=b"toggle"))
    ((asked, _),) = ladder.thing.datagrams_to_send(0.0)
    ladder.controller.receive_datagram(asked, THING, 0.0)
    assert len(events(ladder.controller)) == 1
    ladder.thing.receive_datagram(challenge(decode(asked)), CONTROLLER, 0.0)
    ladder.run()
    assert [event for event in ladder.requests if event.message.path == "/door"] == []
    assert ladder.failure.reason == "refused"


@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize("echo", [None, b""])
def test_an_unprotected_refusal_without_one_is_a_refusal(echo):
    side = asking_under_oscore()
    first = protected_request(side)
    data = challenge(first, None) if echo is None else raw_with_echo(decode(challenge(first, None)), echo)
    side.receive_datagram(data, CONTROLLER, 0.0)
    assert [type(event.error).__name__ for event in events(side)] == ["UntrustedError"]


@pytest.mark.spec("RFC 9175 2.3")
def test_who_asks_for_it_again_and_again_is_not_believed_for_long():
    side = asking_under_oscore()
    for _ in range(4):
        side.receive_datagram(challenge(protected_request(side)), CONTROLLER, 0.0)
    assert [type(event.error).__name__ for event in events(side)] == ["UntrustedError"]
    assert side.datagrams_to_send(0.0) == []
