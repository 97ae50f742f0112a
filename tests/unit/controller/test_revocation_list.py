"""Who observes the list hears of what concerns it, and of nothing else; nobody is remembered without bound."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.endpoint import ladder
from tests.unit.planes.access.test_authorization_server import SlowRecords
from thingstead.controller.revocation_list import RevocationList
from thingstead.endpoint.event import AssociationId, ExchangeId, RequestReceived
from thingstead.endpoint.resource import Resources
from thingstead.planes.access.issued_tokens import IssuedToken, IssuedTokens
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.revocation import decode_full_set
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, OptionNumber

SWITCH, LIGHT, OTHER = (a_thing(number).id for number in range(3))
HASH = b"\x01" + bytes(32)
MEMBER = Scope({"/revoke/trl": int(Permission.GET)})


class Site:
    """The list served to the three; `told` is who was notified with what."""

    def __init__(self):
        self.told: list[tuple[ExchangeId, Message]] = []
        clock = JumpingClock()
        self.tokens = IssuedTokens(SlowRecords(), clock=clock)
        self.resources = Resources(lambda event: None if event.association is None else (event.association, MEMBER))
        RevocationList(self.tokens, self.notify).serve(self.resources)
        self.expires = clock.utc() + timedelta(hours=1)

    def notify(self, exchange, message):
        self.told.append((exchange, message))

    def ask(self, whom, exchange=1, *, observe=None, query=(), method=Code.GET):
        message = request(method, "/revoke/trl", query=query)
        association = None if whom is None else AssociationId(whom)
        event = RequestReceived(
            ExchangeId(exchange), message, ladder.THING, association, None, None, observe, True, False
        )
        return self.resources.answer(event, 0.0)

    def revoke(self, *, subject=SWITCH, audience=LIGHT):
        asyncio.run(self.tokens.revoke({HASH: IssuedToken(subject, audience, self.expires)}))


def is_observed(message):
    return message.option(OptionNumber.OBSERVE) is not None


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9770 11")
def test_an_observer_hears_of_a_token_that_pertains_to_it_and_another_does_not():
    site = Site()
    assert is_observed(site.ask(LIGHT, 1, observe=True))
    site.ask(OTHER, 2, observe=True)
    site.revoke()
    ((exchange, message),) = site.told
    assert exchange == 1
    assert is_observed(message)
    assert decode_full_set(message.payload) == {HASH}


@pytest.mark.spec("RFC 7641 4.1")
@pytest.mark.parametrize("observe", [None, False])
def test_who_does_not_register_is_not_notified(observe):
    site = Site()
    assert not is_observed(site.ask(LIGHT, observe=observe))
    site.revoke()
    assert site.told == []


@pytest.mark.spec("RFC 9770 6.3")
def test_a_wrong_query_begins_no_observation():
    site = Site()
    refused = site.ask(LIGHT, observe=True, query=("cursor=1",))
    assert refused.code == Code.BAD_REQUEST
    assert not is_observed(refused)
    site.revoke()
    assert site.told == []


@pytest.mark.spec("RFC 9770 6")
@pytest.mark.parametrize("method", [Code.POST, Code.PUT, Code.DELETE, Code.FETCH])
def test_only_get_is_answered(method):
    assert Site().ask(LIGHT, method=method).code == Code.METHOD_NOT_ALLOWED


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9770 6")
def test_a_stranger_sees_nothing():
    assert Site().ask(None).code == Code.UNAUTHORIZED


def test_one_thing_keeps_few_observations():
    site = Site()
    for exchange in range(6):
        site.ask(LIGHT, exchange, observe=True)
    site.revoke()
    assert [exchange for exchange, _ in site.told] == [2, 3, 4, 5]
