"""A token is written down before it is handed out, and bound to the key that was proved."""

import asyncio
import random
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.access.test_authorization_server import SlowRecords
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.peer_policy import PeerDecision, PeerProfile
from thingstead.errors import DecodeError, StateError, StorageError, UnsupportedError
from thingstead.planes.access.issued_tokens import IssuedTokens
from thingstead.planes.access.token_issuer import TokenIssuer
from thingstead.protocols.ace import exi, input_material, sealed_token, token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.token_endpoint import TokenRequest
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import peer
from thingstead.secret import Secret

pytestmark = pytest.mark.requirement("R-35")
SWITCH, LIGHT, OTHER = (a_thing(number).id for number in range(3))
KEY, SWITCH_KEY, LIGHT_KEY = (generate(KeyType.P256) for _ in range(3))
TOKEN_KEY = Secret(bytes(range(16)))
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
            token_key_of=self.token_key_of,
            steady=lambda *_things: nullcontext(),
            clock=self.clock,
            random_bytes=random.Random(1).randbytes,
        )

    def token_key_of(self, thing):
        self._holder_of(thing)
        return TOKEN_KEY

    def _holder_of(self, thing):
        if thing not in self.holders:
            raise StateError("no token")
        return self.holders[thing]

    def issue(self, decision=DECISION, *, client=SWITCH, server=LIGHT, **asked):
        return asyncio.run(self.issuer.issue(client, server, TokenRequest(server, **asked), decision))

    def introspect(self, requester, shown):
        return codec.decode(self.issuer.introspect(requester, codec.encode({11: shown})))


@pytest.fixture
def desk():
    return Desk()


@pytest.mark.spec("RFC 9200 5.8.2")
def test_a_token_says_who_may_do_what_where_and_until_when(desk):
    response = desk.issue(cnonce=b"nonce", public=SWITCH_KEY.public)
    assert (response.expires_in, response.scope, response.rs_credential) == (
        7200,
        SCOPE,
        peer.credential(LIGHT_KEY.public, LIGHT).cred,
    )
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


SHARED = replace(DECISION, profile=PeerProfile.OSCORE)


def shown(desk, encoded, **changes):
    signed = sealed_token.unseal(encoded, TOKEN_KEY) if sealed_token.is_sealed(encoded) else encoded
    arguments = {"accept": frozenset({-9}), "at": desk.clock.utc(), "issuer": "home", "audience": LIGHT} | changes
    return token.authenticate_shown(signed, KEY.public, **arguments)


@pytest.mark.spec("RFC 9203 3.2")
def test_a_shared_secret_is_told_to_the_client_and_sealed_for_the_server(desk):
    response = desk.issue(SHARED)
    read = shown(desk, response.access_token)
    assert input_material.decode_map(read.proof.shared) == response.material
    assert (response.profile, response.rs_credential, response.series) == (2, b"", b"")
    assert response.material.master_secret.reveal() not in response.access_token


@pytest.mark.spec("RFC 9203 3.2")
def test_no_two_tokens_have_one_secret(desk):
    secrets = {desk.issue(SHARED).material.master_secret.reveal() for _ in range(8)}
    assert len(secrets) == 8


@pytest.mark.spec("RFC 9203 3.2")
def test_a_token_for_other_rights_names_the_secret_and_brings_none(desk):
    first = desk.issue(SHARED)
    further = desk.issue(SHARED, kid=first.material.id)
    assert (further.material, further.profile) == (None, 2)
    assert shown(desk, further.access_token).proof.kid == first.material.id


@pytest.mark.spec("draft-ietf-ace-edhoc-oscore-profile-11 3.2")
def test_a_series_goes_on_in_edhocs_profile(desk):
    first = desk.issue()
    further = desk.issue(series=first.series)
    assert (further.series, further.rs_credential) == (b"", b"")
    read = shown(desk, further.access_token)
    assert read.series == first.series
    assert read.proof.credential == peer.credential(SWITCH_KEY.public, SWITCH).cred
    assert desk.issue().series != first.series


def _revoked(desk, response):
    asyncio.run(desk.tokens.revoke_all_of(SWITCH))
    return response


def _ended(desk, response):
    desk.clock.seconds += 7200
    return response


@pytest.mark.spec("RFC 9203 3.1")
@pytest.mark.parametrize("end", [_revoked, _ended])
def test_there_is_no_other_of_what_does_not_count(desk, end):
    by_key, by_secret = desk.issue(), desk.issue(SHARED)
    end(desk, by_key)
    for decision, asked in ((DECISION, {"series": by_key.series}), (SHARED, {"kid": by_secret.material.id})):
        with pytest.raises(StateError) as caught:
            desk.issue(decision, **asked)
        assert caught.value.reason == "invalid_request"


@pytest.mark.spec("RFC 9203 3.1")
@pytest.mark.parametrize("foreign", ["unknown", "another client's", "at another server", "of the other profile"])
def test_there_is_no_other_of_what_was_never_issued_here_to_this_client(desk, foreign):
    desk.holders[OTHER] = generate(KeyType.P256).public
    of = {
        "unknown": lambda: (SHARED, {"kid": b"unknown"}),
        "another client's": lambda: (SHARED, {"kid": desk.issue(SHARED, client=OTHER).material.id}),
        "at another server": lambda: (SHARED, {"kid": desk.issue(SHARED, server=OTHER).material.id}),
        "of the other profile": lambda: (SHARED, {"series": desk.issue().series}),
    }
    decision, asked = of[foreign]()
    with pytest.raises(StateError) as caught:
        desk.issue(decision, **asked)
    assert caught.value.reason == "invalid_request"


@pytest.mark.spec("RFC 9200 5.10.3")
@pytest.mark.parametrize("decision", [DECISION, SHARED])
def test_for_a_server_without_a_clock_tokens_are_counted(desk, decision):
    numbers = []
    for _ in range(3):
        read = shown(desk, desk.issue(replace(decision, has_clock=False)).access_token)
        assert read.exi == 7200
        numbers.append(exi.sequence_number(read.cti, LIGHT))
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert shown(desk, desk.issue(decision).access_token).exi is None


@pytest.mark.spec("RFC 9200 5.10.3")
@pytest.mark.parametrize("is_lost", [False, True], ids=["restarted", "restored from nothing"])
def test_no_number_is_given_twice_after_a_crash(desk, is_lost):
    counted = replace(DECISION, has_clock=False)
    before = shown(desk, desk.issue(counted).access_token)
    again = Desk()
    again.clock.seconds = desk.clock.seconds + 1
    records = SlowRecords({} if is_lost else desk.records.documents)
    again.tokens = again.issuer._tokens = IssuedTokens(records, clock=again.clock)
    after = shown(again, again.issue(counted).access_token)
    assert exi.sequence_number(after.cti, LIGHT) > exi.sequence_number(before.cti, LIGHT)


@pytest.mark.spec("RFC 9200 5.9.2")
def test_introspection_tells_all_that_the_server_needs(desk):
    response = desk.issue(replace(SHARED, has_clock=False), cnonce=b"nonce")
    told = desk.introspect(LIGHT, response.access_token)
    assert (told[10], told[2], told[38], told[39], told[40]) == (True, SWITCH, 2, b"nonce", 7200)
    assert told[8] == {4: response.material.as_map()}
    by_key = desk.introspect(LIGHT, desk.issue().access_token)
    assert (by_key[38], 40 in by_key, 39 in by_key) == (4, False, False)


@pytest.mark.spec("RFC 9200 5.9.2")
@pytest.mark.parametrize("decision", [DECISION, SHARED])
@pytest.mark.parametrize("why", ["another's", "the client's", "revoked", "ended", "edited", "under keys of before"])
def test_of_what_does_not_count_nothing_is_told_but_that(desk, decision, why):
    encoded = desk.issue(decision).access_token
    requester = {"another's": OTHER, "the client's": SWITCH}.get(why, LIGHT)
    if why == "revoked":
        asyncio.run(desk.tokens.revoke_all_of(SWITCH))
    if why == "ended":
        desk.clock.seconds += 7200
    if why == "edited":
        encoded = encoded[:-1] + bytes([encoded[-1] ^ 1])
    if why == "under keys of before":
        desk.issuer._token_key_of = lambda _thing: Secret(bytes(16))
        if decision is DECISION:
            return
    assert desk.introspect(requester, encoded) == {10: False}
