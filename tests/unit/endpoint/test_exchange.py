"""What tells requests of a peer apart, and how much may go to where one came from."""

import pytest

from tests.unit.endpoint.ladder import (
    CONTROLLER,
    OBSERVE,
    SECURED,
    THING,
    Ladder,
    answered,
    context,
    endpoint,
    events,
)
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import ExchangeEnded
from thingstead.endpoint.exchange import ServerExchange
from thingstead.endpoint.representation import operation
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.observe import ObserveRequest
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.protection import protect_request

GET = request(Code.GET, "/a")
REGISTER, DEREGISTER = ((int(OptionNumber.OBSERVE), encode_uint(wish)) for wish in ObserveRequest)

_, BINDING = protect_request(GET, context=context())


def exchange(message=GET, data=bytes(20)):
    return ServerExchange((THING, data), message, 0.0, False)


@pytest.mark.spec("RFC 9175 3.3")
@pytest.mark.parametrize(
    "number",
    [
        OptionNumber.OBSERVE,
        OptionNumber.BLOCK1,
        OptionNumber.BLOCK2,
        OptionNumber.SIZE1,
        OptionNumber.SIZE2,
        OptionNumber.ECHO,
        OptionNumber.NO_RESPONSE,
    ],
)
def test_blocks_of_one_operation_may_differ_in_what_is_about_the_block(number):
    assert operation(GET.with_options((number, b"\x01"))) == operation(GET)


@pytest.mark.spec("RFC 7959 2.3")
@pytest.mark.spec("RFC 9175 3.3")
@pytest.mark.parametrize(
    "number",
    [
        OptionNumber.URI_HOST,
        OptionNumber.URI_PORT,
        OptionNumber.URI_PATH,
        OptionNumber.URI_QUERY,
        OptionNumber.CONTENT_FORMAT,
        OptionNumber.ACCEPT,
        OptionNumber.IF_MATCH,
        OptionNumber.REQUEST_TAG,
    ],
)
def test_what_is_part_of_the_request_makes_another_operation(number):
    assert operation(GET.with_options((number, b"\x01"))) != operation(GET)


def test_the_method_makes_another_operation_and_the_payload_does_not():
    assert operation(request(Code.PUT, "/a")) != operation(GET)
    assert operation(request(Code.PUT, "/a", payload=b"1")) == operation(request(Code.PUT, "/a", payload=b"2"))


@pytest.mark.spec("RFC 9175 2.6")
def test_three_times_what_came_may_go_to_a_stranger_and_any_number_over_a_connection():
    assert exchange(data=bytes(20)).allowance == 60
    assert exchange(data=b"").allowance is None


def test_whoever_was_verified_gets_no_more_than_a_stranger_when_refused_without_protection():
    verified = exchange()
    association = Association(SECURED, context(mirrored=True), address=THING)
    verified.enter(association, BINDING)
    assert (verified.allowance, verified.peer) == (None, SECURED)
    verified.as_stranger()
    assert (verified.allowance, verified.peer, verified.binding, verified.association) == (60, THING, None, None)


@pytest.mark.spec("RFC 9175 2.3")
def test_an_echo_value_is_good_for_one_peer_at_one_place_in_one_installation():
    names = set()
    for epoch, address in ((1, THING), (2, THING), (2, CONTROLLER)):
        verified = ServerExchange((address, bytes(20)), GET, 0.0, False)
        association = Association(SECURED, context(mirrored=True), address=address)
        association.epoch = epoch
        verified.enter(association, BINDING)
        names.add(verified.echo_name())
    assert len(names | {exchange().echo_name()}) == 4


class Observer:
    """A thing that registers and cancels by hand, under tokens of its own choice."""

    def __init__(self, *, secured):
        self.side = endpoint(2, insecure_state_for_strangers=True)
        self.context = context() if secured else None
        if secured:
            self.side.install(Association(SECURED, context(mirrored=True), address=THING))
        self.mid = 0

    def say(self, *options, token=b"t", path="/a", code=Code.GET):
        """Send a request; every answer of the application accepts an observation. What ended by it."""
        self.mid += 1
        asked = request(code, path).with_options(*options)
        asked.type, asked.mid, asked.token = MessageType.CON, self.mid, token
        if self.context is not None:
            asked, _ = protect_request(asked, context=self.context)
        self.side.receive_datagram(encode(asked), THING, 0.0)
        ended = []
        for event in events(self.side):
            if isinstance(event, ExchangeEnded):
                ended.append(event.exchange)
            else:
                self.side.send_response(event.exchange, answered(Code.CONTENT, b"", OBSERVE), 0.0)
        ended += [event.exchange for event in events(self.side) if isinstance(event, ExchangeEnded)]
        replies = [decode(data) for data, _ in self.side.datagrams_to_send(0.0)]
        assert replies[0].mid == self.mid
        return ended


both = pytest.mark.parametrize("secured", [False, True], ids=["plain", "OSCORE"])


@both
@pytest.mark.spec("RFC 7641 3.6")
def test_the_same_request_with_another_observe_value_cancels(secured):
    observer = Observer(secured=secured)
    assert observer.say(REGISTER) == []
    assert observer.say(DEREGISTER, (OptionNumber.ETAG, b"held")) == [1]


@both
@pytest.mark.spec("RFC 7641 4.1")
@pytest.mark.parametrize("token", [b"t", b"another"])
def test_a_cancellation_ends_no_observation_under_another_token(secured, token):
    observer = Observer(secured=secured)
    observer.say(REGISTER)
    assert observer.say(DEREGISTER, token=token) == ([1] if token == b"t" else [])


@pytest.mark.spec("RFC 8613 D.5.2")
@pytest.mark.spec("RFC 8613 4.1.3.5")
@pytest.mark.parametrize("other", [{"path": "/b"}, {"code": Code.FETCH}], ids=["another resource", "another method"])
def test_a_cancellation_put_under_the_token_of_another_observation_does_not_end_that(other):
    observer = Observer(secured=True)
    observer.say(REGISTER)
    assert observer.say(DEREGISTER, **other) == []
    assert observer.say(DEREGISTER) == [1]


@pytest.mark.spec("RFC 8613 4.1.3.5")
def test_a_request_put_under_the_token_of_an_observation_does_not_end_that():
    observer = Observer(secured=True)
    observer.say(REGISTER)
    assert observer.say(REGISTER, path="/b") == []
    assert observer.say() == []
    assert observer.say(DEREGISTER) == [1]


@both
@pytest.mark.spec("RFC 7641 4.1")
def test_a_registration_that_is_repeated_takes_the_place_of_the_first(secured):
    observer = Observer(secured=secured)
    observer.say(REGISTER)
    assert observer.say(REGISTER) == [1]


@pytest.mark.spec("RFC 8613 4.1.3.5")
def test_our_own_client_cancels_what_our_own_server_finds():
    ladder = Ladder(secured=True, respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE))
    asked = request(Code.FETCH, "/a", payload=b"what", query=("x=1",)).with_options((OptionNumber.ACCEPT, b"\x3c"))
    name = ladder.ask(asked, observe=True)
    ladder.pump()
    ladder.thing.cancel(name, 1.0)
    ladder.pump()
    assert len(ladder.ended) == 1


def test_what_is_not_a_message_of_an_observation_keeps_its_own_name():
    plain = exchange(Message(Code.GET, token=b"t"))
    assert plain.observation_name() == b"t"
