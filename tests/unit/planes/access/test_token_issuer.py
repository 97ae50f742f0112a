"""A token is written down before it is handed out, and bound to the key that was proved."""

import asyncio
import random
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.access.test_authorization_server import SlowRecords
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.peer_policy import PeerDecision
from thingstead.errors import DecodeError, StateError, StorageError, UnsupportedError
from thingstead.planes.access.issued_tokens import IssuedTokens
from thingstead.planes.access.token_issuer import TokenIssuer
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.token_endpoint import TokenRequest
from thingstead.protocols.cbor import codec

pytestmark = pytest.mark.requirement("R-35")
SWITCH, LIGHT, OTHER = (a_thing(number).id for number in range(3))
KEY, SWITCH_KEY, LIGHT_KEY = (generate(KeyType.P256) for _ in range(3))
SCOPE = Scope({"/light": 4})
DECISION = PeerDecision("switches", SCOPE, timedelta(hours=2))


class Desk:
    def __init__(self):
        self.clock = JumpingClock()
        self.records = SlowRecords()
        self.tokens = IssuedTokens(self.records, clock=self.clock)
        self.holders = {SWITCH: SWITCH_KEY.public, LIGHT: LIGHT_KEY.public}
        self.issuer = TokenIssuer(
            self.tokens,
            KEY,
            domain="home",
            holder_of=self._holder_of,
            clock=self.clock,
            random_bytes=random.Random(1).randbytes,
        )

    def _holder_of(self, thing):
        if thing not in self.holders:
            raise StateError("no token")
        return self.holders[thing]

    def issue(self, **asked):
        return asyncio.run(self.issuer.issue(SWITCH, LIGHT, TokenRequest(LIGHT, **asked), DECISION))

    def introspect(self, requester, shown):
        return codec.decode(self.issuer.introspect(requester, codec.encode({11: shown})))


@pytest.fixture
def desk():
    return Desk()


@pytest.mark.spec("RFC 9200 5.8.2")
def test_a_token_says_who_may_do_what_where_and_until_when(desk):
    response = desk.issue(cnonce=b"nonce", public=SWITCH_KEY.public)
    assert (response.expires_in, response.scope, response.rs_public) == (7200, SCOPE, LIGHT_KEY.public)
    read = token.authenticate(
        response.access_token,
        KEY.public,
        accept=frozenset({int(AlgorithmId.ESP256)}),
        at=desk.clock.utc(),
        issuer="home",
        audience=LIGHT,
        presenter=SWITCH_KEY.public,
    )
    assert (read.subject, read.scope, read.cnonce) == (SWITCH, SCOPE, b"nonce")
    assert read.expires - desk.clock.utc() == timedelta(hours=2)
    assert desk.tokens.find(token.token_hash(response.access_token)) is not None


def test_two_tokens_are_never_the_same(desk):
    assert desk.issue().access_token != desk.issue().access_token


@pytest.mark.spec("RFC 9200 5.8.1")
def test_a_key_that_was_not_proved_gets_no_token(desk):
    with pytest.raises(UnsupportedError) as caught:
        desk.issue(public=LIGHT_KEY.public)
    assert caught.value.reason == "unsupported_pop_key"
    assert desk.records.documents == {}


@pytest.mark.parametrize("missing", [SWITCH, LIGHT])
def test_who_is_not_in_gets_and_takes_no_token(desk, missing):
    del desk.holders[missing]
    with pytest.raises(StateError):
        desk.issue()


def test_what_could_not_be_written_down_is_not_handed_out(desk):
    async def refuse(_changes, *, entries=()):
        raise StorageError("full")

    desk.records.write = refuse
    with pytest.raises(StorageError):
        desk.issue()


@pytest.mark.spec("RFC 9200 5.9.2")
def test_a_resource_server_learns_what_a_token_for_it_says(desk):
    found = desk.introspect(LIGHT, desk.issue().access_token)
    assert found[10] is True
    assert (found[1], found[2], found[3]) == ("home", SWITCH, LIGHT)


@pytest.mark.spec("RFC 9200 5.9.2")
@pytest.mark.parametrize("requester", [SWITCH, OTHER])
def test_of_a_token_for_another_nobody_learns_anything(desk, requester):
    assert desk.introspect(requester, desk.issue().access_token) == {10: False}


def test_a_revoked_an_expired_and_an_edited_token_are_not_active(desk):
    revoked, edited, expired = (desk.issue().access_token for _ in range(3))
    asyncio.run(desk.tokens.revoke({token.token_hash(revoked): desk.tokens.find(token.token_hash(revoked))}))
    assert desk.introspect(LIGHT, revoked) == {10: False}
    assert desk.introspect(LIGHT, edited[:-1] + b"\x00") == {10: False}
    desk.clock.seconds += 7200
    assert desk.introspect(LIGHT, expired) == {10: False}


@pytest.mark.parametrize("payload", [b"", b"\xa0", codec.encode({11: "text"}), codec.encode([11])])
def test_what_is_no_request_for_introspection_is_refused(desk, payload):
    with pytest.raises(DecodeError):
        desk.issuer.introspect(LIGHT, payload)
