"""The token endpoint says no in numbers, counts each refusal, and tells nobody which things exist."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.endpoint import ladder
from tests.unit.planes.access.test_token_issuer import Desk
from thingstead.controller.token_resource import TokenResource
from thingstead.domain.peer_policy import PeerRule
from thingstead.endpoint.event import AssociationId, ExchangeId, RequestReceived
from thingstead.endpoint.resource import Resources
from thingstead.errors import ForbiddenError
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.token_endpoint import TokenError, TokenRequest, TokenResponse, decode_refusal
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code

pytestmark = pytest.mark.requirement("R-35")
SWITCH, LIGHT, OTHER = (a_thing(number) for number in range(3))
MEMBER = Scope({"/token": int(Permission.POST), "/introspect": int(Permission.POST)})
RULE = PeerRule("switches", ("*",), ("*",), Scope({"/light": 4}), timedelta(hours=1), same_zone=False)


KNOWN = {thing.id: thing for thing in (SWITCH, LIGHT)}


def at_once(work):
    return lambda call: asyncio.run(work(call))


class Site:
    def __init__(self, *rules):
        self.desk = Desk()
        self.cut_off: set[str] = set()
        self.waiting: set[str] = set()
        self.resources = Resources(lambda event: None if event.association is None else (event.association, MEMBER))
        TokenResource(
            self.desk.issuer,
            KNOWN.__getitem__,
            peers=lambda: rules,
            scope_of=lambda thing: MEMBER if thing in KNOWN.keys() - self.cut_off else None,
            deferred=at_once,
            count=self.resources.refuse,
            require=self.require,
        ).serve(self.resources)

    def require(self, thing):
        if thing in self.waiting:
            raise ForbiddenError("it waits for evidence", reason="attestation")

    def ask(self, payload, *, whom=SWITCH.id, place="/token", content_format=19):
        message = request(Code.POST, place, payload=payload, content_format=content_format)
        association = None if whom is None else AssociationId(whom)
        event = RequestReceived(ExchangeId(1), message, ladder.THING, association, None, None, None, True, False)
        return self.resources.answer(event, 0.0)


def refused(site, payload, **changes):
    answer = site.ask(payload, **changes)
    assert answer.code == Code.BAD_REQUEST
    return decode_refusal(answer.payload)


@pytest.mark.spec("RFC 9200 5.8.2")
def test_a_token_is_created_for_whom_a_rule_names():
    answer = Site(RULE).ask(TokenRequest(LIGHT.id).encode())
    assert answer.code == Code.CREATED
    assert TokenResponse.decode(answer.payload).scope == Scope({"/light": 4})


@pytest.mark.spec("RFC 9200 5.8.3")
@pytest.mark.parametrize("audience", [LIGHT.id, SWITCH.id, OTHER.id, "thing-qqqqqqqqqqqqqqqq", "home", "light"])
def test_without_a_rule_all_audiences_are_refused_alike(audience):
    site = Site()
    assert refused(site, TokenRequest(audience).encode()) is TokenError.UNAUTHORIZED_CLIENT
    assert site.resources.refused["unauthorized_client"] == 1


@pytest.mark.parametrize("audience", [SWITCH.id, "home", "light"])
def test_a_rule_for_all_gives_no_token_for_what_is_no_other_thing(audience):
    assert refused(Site(RULE), TokenRequest(audience).encode()) is TokenError.UNAUTHORIZED_CLIENT


def test_a_thing_that_is_cut_off_is_no_audience():
    site = Site(RULE)
    site.cut_off.add(LIGHT.id)
    assert refused(site, TokenRequest(LIGHT.id).encode()) is TokenError.UNAUTHORIZED_CLIENT


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"", TokenError.INVALID_REQUEST),
        (TokenRequest(LIGHT.id, Scope({"/wipe": 2})).encode(), TokenError.INVALID_SCOPE),
        (codec.encode({5: LIGHT.id, 33: 3}), TokenError.UNSUPPORTED_GRANT_TYPE),
        (codec.encode({5: LIGHT.id, 38: 1}), TokenError.INCOMPATIBLE_ACE_PROFILES),
        (TokenRequest(LIGHT.id, public=Desk().holders[LIGHT.id]).encode(), TokenError.UNSUPPORTED_POP_KEY),
    ],
)
def test_each_wrong_request_has_its_number(payload, error):
    assert refused(Site(RULE), payload) is error


@pytest.mark.parametrize("place", ["/token", "/introspect"])
def test_strangers_and_other_formats_are_refused(place):
    site = Site(RULE)
    assert site.ask(b"", whom=None, place=place).code == Code.UNAUTHORIZED
    assert site.ask(b"", place=place, content_format=60).code == Code.UNSUPPORTED_CONTENT_FORMAT


@pytest.mark.spec("RFC 9200 5.9.2")
def test_introspection_answers_about_a_token_for_the_asker():
    site = Site(RULE)
    shown = TokenResponse.decode(site.ask(TokenRequest(LIGHT.id).encode()).payload).access_token
    for whom, active in ((LIGHT.id, True), (SWITCH.id, False)):
        answer = site.ask(codec.encode({11: shown}), whom=whom, place="/introspect")
        assert codec.decode(answer.payload)[10] is active


@pytest.mark.spec("RFC 9200 5.9.3")
def test_introspection_of_nothing_is_a_bad_request():
    assert Site(RULE).ask(b"\xa0", place="/introspect").code == Code.BAD_REQUEST


@pytest.mark.requirement("R-22")
def test_a_thing_whose_evidence_does_not_pass_gets_no_token():
    site = Site(RULE)
    site.waiting.add(SWITCH.id)
    assert site.ask(TokenRequest(LIGHT.id).encode()).code != Code.CREATED
    assert site.resources.refused["attestation"] == 1
