import random
from collections import deque

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, SECURED, context
from thingstead.endpoint.association import Association, Associations, SequenceGate
from thingstead.endpoint.client_exchange import ClientExchange
from thingstead.endpoint.client_sender import ClientSender
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.event import Event, SequenceNeeded
from thingstead.endpoint.message_layer import MessageLayer
from thingstead.endpoint.outstanding import Outstanding
from thingstead.endpoint.rederivation import Rederivation
from thingstead.errors import StateError
from thingstead.protocols.coap.block import Pieces
from thingstead.protocols.coap.message import MessageType, decode, request
from thingstead.protocols.coap.observe import NotificationOrder
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.token import Tokens
from thingstead.protocols.oscore.context import SequenceNumbers

OSCORE = OptionNumber.OSCORE


class Bench:
    """A sender by itself, and what it asks for."""

    def __init__(self, *, reserved=100):
        random_bytes = random.Random(1).randbytes
        self.config = EndpointConfig(max_parked=2, sequence_stride=4)
        self.events: deque[Event] = deque()
        self.layer = MessageLayer(self.config, random_bytes)
        self.outstanding = Outstanding()
        self.association = Association(SECURED, context(sequence=SequenceNumbers(reserved=reserved)))
        gate = SequenceGate(self.events, stride=self.config.sequence_stride)
        known = Associations(gate, max_awake=8)
        self.sender = ClientSender(
            self.config,
            layer=self.layer,
            gate=gate,
            rederivation=Rederivation(known, random_bytes=random_bytes, install=known.install),
            tokens=Tokens(random_bytes),
            outstanding=self.outstanding,
        )

    def exchange(self, name=1, *, secured=True, observe=False):
        association = self.association if secured else None
        made = ClientExchange(
            name, request(Code.GET, "/a"), CONTROLLER, association, pieces=Pieces(6), is_reliable=False
        )
        made.observe = observe
        self.outstanding.add(made)
        return made

    def sent(self):
        """The messages since the last time."""
        messages = [decode(data) for data, _ in self.layer.outgoing]
        self.layer.outgoing.clear()
        return messages


def answered(bench, exchange):
    """The message layer is free for the next confirmable message."""
    bench.layer.retransmitter.acknowledge(exchange.destination, exchange.mid, 0.0)


def test_a_plain_request_goes_out_as_it_is_under_a_token_of_eight_bytes():
    bench = Bench()
    bench.sender.send(bench.exchange(secured=False), 0.0)
    (message,) = bench.sent()
    assert (message.code, message.path, len(message.token), message.type) == (Code.GET, "/a", 8, MessageType.CON)


def test_a_protected_request_shows_neither_path_nor_code():
    bench = Bench()
    bench.sender.send(bench.exchange(), 0.0)
    (message,) = bench.sent()
    assert (message.code, message.path, len(message.token)) == (Code.POST, "/", 1)
    assert message.option(OSCORE) is not None


@pytest.mark.spec("RFC 8613 B.1.1")
def test_without_a_sequence_number_it_waits_and_is_named_once():
    bench = Bench(reserved=0)
    bench.sender.send(bench.exchange(7), 0.0)
    assert (bench.sent(), list(bench.events)) == ([], [SequenceNeeded(SECURED, 4)])
    assert (bench.sender.resumed(SECURED), bench.sender.resumed(SECURED)) == ((7,), ())


def test_no_more_wait_for_a_sequence_number_than_may():
    bench = Bench(reserved=0)
    for name in (1, 2):
        bench.sender.send(bench.exchange(name), 0.0)
    with pytest.raises(StateError):
        bench.sender.send(bench.exchange(3), 0.0)


@pytest.mark.spec("RFC 7641 3.3.1")
@pytest.mark.parametrize("secured", [False, True], ids=["plain", "OSCORE"])
def test_a_registration_that_is_repeated_keeps_its_token_and_no_other_message_does(secured):
    bench = Bench()
    exchange = bench.exchange(secured=secured, observe=True)
    bench.sender.send(exchange, 0.0)
    first = exchange.observe_binding
    answered(bench, exchange)
    exchange.order = NotificationOrder(1, 0.0)
    bench.sender.send(exchange, 0.0)
    answered(bench, exchange)
    exchange.register_again()
    bench.sender.send(exchange, 0.0)
    registered, other, again = bench.sent()
    assert registered.token == again.token != other.token
    # Until it is answered, notifications are verified as before.
    assert exchange.observe_binding is first


@pytest.mark.spec("RFC 7641 3.6")
def test_a_deregistration_goes_under_the_token_of_the_registration_and_waits_for_nothing():
    bench = Bench()
    exchange = bench.exchange(secured=False, observe=True)
    bench.sender.send(exchange, 0.0)
    answered(bench, exchange)
    bench.sender.deregister(exchange)
    registered, deregistered = bench.sent()
    assert (registered.option(OBSERVE[0]), deregistered.option(OBSERVE[0])) == (b"", b"\x01")
    assert (deregistered.token, deregistered.type) == (registered.token, MessageType.NON)


@pytest.mark.parametrize("is_at_end", [False, True], ids=["none reserved", "none left"])
def test_a_deregistration_without_a_sequence_number_is_left_out(is_at_end):
    bench = Bench(reserved=1)
    exchange = bench.exchange(observe=True)
    bench.sender.send(exchange, 0.0)
    if is_at_end:
        bench.association.context.sender.sequence.bound(1)
    bench.sent()
    bench.sender.deregister(exchange)
    assert bench.sent() == []
