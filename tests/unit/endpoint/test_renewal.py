"""Keys near what they may be used for are reported once, in time; at their limit nothing goes out or comes in."""

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, SECURED, THING, Ladder, context, endpoint, events
from tests.unit.endpoint.test_endpoint_oscore import GET, protected, sent, server
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import ExchangeFailed, RenewalNeeded, RequestReceived, SequenceNeeded
from thingstead.protocols.coap.message import Message, MessageType, decode, encode
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.reliability import TransmissionParameters
from thingstead.protocols.oscore.context import SequenceNumbers

NUMBERS = 1 << 19
WORN = NUMBERS - (NUMBERS >> 3)


def sender(start, *, reserved=None):
    side = endpoint(transmission=TransmissionParameters(nstart=1000))
    numbers = SequenceNumbers(start, reserved=start if reserved is None else reserved)
    side.install(Association(SECURED, context(sequence=numbers)))
    return side


@pytest.mark.requirement("R-25")
def test_renewal_is_asked_for_once_while_requests_go_on():
    side = sender(WORN - 2)
    asked = []
    for _ in range(600):
        side.send_request(GET, CONTROLLER, 0.0, association=SECURED, confirmable=False)
        for event in events(side):
            if isinstance(event, SequenceNeeded):
                side.sequence_reserved(SECURED, event.upto)
            asked += [event] * isinstance(event, RenewalNeeded)
    assert asked == [RenewalNeeded(SECURED)]
    assert len(side.datagrams_to_send(0.0)) == 600


@pytest.mark.requirement("R-25")
def test_no_numbers_are_asked_for_beyond_the_limit_and_nothing_is_sent():
    side = sender(NUMBERS - 1)
    for _ in range(3):
        side.send_request(GET, CONTROLLER, 0.0, association=SECURED, confirmable=False)
        for event in (found := events(side)):
            if isinstance(event, SequenceNeeded):
                assert event.upto == NUMBERS
                side.sequence_reserved(SECURED, 1 << 40)
    assert len(side.datagrams_to_send(0.0)) == 1
    assert [type(event) for event in found] == [ExchangeFailed]


@pytest.mark.requirement("R-25")
def test_a_new_installation_is_watched_anew():
    side = sender(WORN)
    for _ in range(2):
        side.send_request(GET, CONTROLLER, 0.0, association=SECURED)
        assert RenewalNeeded(SECURED) in events(side)
        side.install(Association(SECURED, context(sequence=SequenceNumbers(WORN, reserved=WORN))))


@pytest.mark.requirement("R-25")
def test_forgeries_wear_a_key_out_and_then_the_genuine_peer_is_refused_too():
    side, client = server(), context()
    recipient = side.association(SECURED).context.recipient
    recipient.failures = (1 << 13) - 1
    side.receive_datagram(protected(client, mid=1)[:-1] + b"\x00", THING, 0.0)
    assert events(side) == [RenewalNeeded(SECURED)]
    recipient.failures = (1 << 14) - 1
    side.receive_datagram(protected(client, mid=2)[:-1] + b"\x00", THING, 0.0)
    side.datagrams_to_send(0.0)
    side.receive_datagram(protected(client, mid=3), THING, 0.0)
    assert (events(side), [reply.code for reply in sent(side)]) == ([], [Code.UNAUTHORIZED])
    assert side.counters["key-limit"] == 1


def test_a_used_up_key_is_no_reason_to_look_for_another_context():
    side, client = server(lazy_contexts=True), context()
    client.sender.sequence.limit = 1 << 40
    client.sender.sequence.reserve(1 << 40)
    client.sender.sequence.next = NUMBERS
    side.receive_datagram(protected(client), THING, 0.0)
    assert not [event for event in events(side) if not isinstance(event, RenewalNeeded)]


@pytest.mark.requirement("R-25")
def test_forged_responses_wear_a_key_out():
    side = sender(0, reserved=1000)
    side.association(SECURED).context.recipient.failures = (1 << 13) - 1
    side.send_request(GET, CONTROLLER, 0.0, association=SECURED)
    ask = decode(side.datagrams_to_send(0.0)[0][0])
    for tail in range(3):
        option = (int(OptionNumber.OSCORE), b"")
        fake = Message(Code.CHANGED, MessageType.ACK, ask.mid, ask.token, [option], bytes(19) + bytes([tail]))
        side.receive_datagram(encode(fake), CONTROLLER, 0.0)
    assert events(side) == [RenewalNeeded(SECURED)]


def test_an_association_in_its_prime_says_nothing():
    ladder = Ladder(secured=True)
    for _ in range(5):
        ladder.ask(GET)
        ladder.run()
    assert len(ladder.results()) == 5
    assert not ladder.results(RenewalNeeded)
    assert len(ladder.results(RequestReceived)) == 5
