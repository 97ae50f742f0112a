"""What goes to the domain goes under its association, to another thing it is told apart, and no number is lost."""

import random

import pytest

from thingstead.agent.outbox import DOMAIN, Outbox
from thingstead.agent.story import Place, Request, Session
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.derivation import context_of
from thingstead.endpoint.endpoint import Endpoint
from thingstead.protocols.coap.message import decode, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.secret import Secret

CONTROLLER, OTHER = ("198.51.100.1", 5683), ("192.0.2.7", 5683)
OSCORE = OscoreParameters(
    Secret(bytes(16)), bytes(8), b"\x01", b"\x02", AlgorithmId.AES_CCM_16_64_128, AlgorithmId.SHA_256
)
SESSION = Session(b"\x43abc", OSCORE)


class Thing:
    """An outbox over a real endpoint."""

    def __init__(self):
        self.endpoint = Endpoint(EndpointConfig(), random_bytes=random.Random(1).randbytes)
        self.outbox = Outbox(self.endpoint, CONTROLLER)

    def send(self, **how):
        """The exchange, and what left by it: option numbers and where to."""
        exchange = self.outbox.send(Request(request(Code.GET, "/update"), **how), 0.0)
        ((data, to),) = self.endpoint.datagrams_to_send(0.0)
        return exchange, {number for number, _ in decode(data).options}, to


def test_in_clear_is_in_clear_and_goes_to_the_domain():
    _, options, to = Thing().send(protected=False)
    assert (OptionNumber.OSCORE in options, to) == (False, CONTROLLER)


@pytest.mark.spec("RFC 8613 8.1")
def test_what_is_protected_goes_under_the_association_with_the_domain():
    thing = Thing()
    thing.outbox.install(context_of(OSCORE, sequence=SequenceNumbers(reserved=8)))
    _, options, to = thing.send()
    assert (OptionNumber.OSCORE in options, to) == (True, CONTROLLER)
    assert thing.endpoint.association(DOMAIN) is not None


def test_what_went_to_another_thing_is_told_apart_once():
    thing = Thing()
    ours, _, _ = thing.send(protected=False)
    elsewhere, _, to = thing.send(to=Place(OTHER))
    assert to == OTHER
    assert [thing.outbox.ended(one) for one in (ours, elsewhere, elsewhere)] == [True, False, True]


def test_what_is_cancelled_is_forgotten():
    thing = Thing()
    elsewhere, _, _ = thing.send(to=Place(OTHER))
    thing.outbox.cancel(elsewhere, 0.0)
    assert thing.outbox.ended(elsewhere)


@pytest.mark.spec("RFC 9668 3")
def test_numbers_that_a_join_spent_are_known_once_and_its_context_ends():
    thing = Thing()
    assert thing.outbox.begun() == 0
    _, options, _ = thing.send(session=SESSION)
    assert {OptionNumber.OSCORE, OptionNumber.EDHOC} <= options
    assert thing.outbox.begun() == 512
    assert thing.outbox.begun() == 0
