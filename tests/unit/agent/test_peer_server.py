"""A light serves whom a token of its domain names, and only while that holds."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.agent.peers import LIGHT, LIGHT_AT, SWITCH, SWITCH_KEY, Light, Switch
from thingstead.agent.held_token import HeldToken
from thingstead.agent.session_table import PEER_PREFIX, PEER_STORY
from thingstead.agent.story import Wait
from thingstead.crypto.key import KeyType, generate
from thingstead.endpoint.event import AssociationId
from thingstead.errors import DecodeError
from thingstead.identifier import ThingId
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.profile import join, path, peer
from thingstead.protocols.profile.standing import MemberStanding

pytestmark = [pytest.mark.requirement("R-35"), pytest.mark.requirement("R-57")]
_OTHER = generate(KeyType.P256)
_ASSOCIATION = AssociationId(PEER_PREFIX + SWITCH)


_REFUSALS = [(Code.BAD_REQUEST, codec.encode_sequence(1, text)) for text in ("refused", "malformed")]


def meet(light, access_token=None, *, name=SWITCH, key=SWITCH_KEY, items=None, source=None):
    """Run the client's side of a handshake; returns the last answer."""
    initiator = Initiator(
        method=join.METHOD,
        suites=join.SUITES,
        credential=peer.credential(key.public, name),
        key=key,
        connection_id=b"\x21\x22",
        ephemeral=generate,
    )
    message_1, waiting = initiator.message_1()
    answer = light.answer(_post(coap_carriage.frame_message_1(message_1)))
    if answer.code != Code.CHANGED:
        return answer
    offered = waiting.receive(answer.payload)
    authenticated = offered.authenticate(peer.credential(_light_key(light).public, LIGHT))
    shown = peer.token_item(light.issue() if access_token is None else access_token)
    message_3, _ = authenticated.message_3(shown if items is None else items)
    changes: dict[str, Any] = {} if source is None else {"source": source}
    return light.answer(_post(coap_carriage.frame_message_3(offered.c_r, message_3)), **changes)


def _light_key(light):
    return light.server._key


def _post(payload):
    return request(Code.POST, path.EDHOC, payload=payload, content_format=65)


def is_open(light):
    return light.endpoint.association(_ASSOCIATION) is not None


@pytest.fixture
def light():
    return Light()


def under_session(light, method=Code.PUT, place="/light"):
    return light.server.grant(light.event(request(method, place), association=_ASSOCIATION))


def test_a_token_opens_a_session_within_its_scope_and_without_what_is_the_domains(light):
    assert meet(light).code == Code.CHANGED
    assert is_open(light)
    assert under_session(light) == (_ASSOCIATION, Scope({"/light": 4}))
    assert list(light.server.sessions()) == [SWITCH]
    assert light.woken == 1


@pytest.mark.parametrize("association", [None, "domain", "peer-", f"peer-{LIGHT}", SWITCH])
def test_nobody_else_is_granted_anything_by_it(light, association):
    meet(light)
    assert light.server.grant(light.event(request(Code.PUT, "/light"), association=association)) is None


_WRONG = {
    "edited": lambda light: light.issue()[:-1] + b"\x00",
    "of another signer": lambda light: light.issue(signer=_OTHER),
    "of another issuer": lambda light: light.issue(issuer="elsewhere"),
    "for another thing": lambda light: light.issue(audience=ThingId("thing-aaaaaaaaaaaaaaaa")),
    "bound to another key": lambda light: light.issue(holder=_OTHER.public),
    "of another name": lambda light: light.issue(subject=ThingId("thing-aaaaaaaaaaaaaaaa")),
    "no token": lambda _light: b"\xf6",
}


@pytest.mark.spec("RFC 9528 A.2")
@pytest.mark.parametrize("wrong", _WRONG)
def test_no_session_begins_with_a_wrong_token_and_who_shows_it_is_not_told_what_is_wrong(light, wrong):
    answer = meet(light, _WRONG[wrong](light))
    assert (answer.code, answer.payload) in _REFUSALS
    assert not is_open(light)
    assert light.server.sessions() == {}


@pytest.mark.parametrize(("hours", "reason"), [((-2, -1), "expired"), ((1, 2), "premature")])
def test_no_session_begins_outside_the_time_of_a_token(light, hours, reason):
    now = light.clock.utc()
    begin, end = (now + timedelta(hours=hour) for hour in hours)
    assert meet(light, light.issue(at=begin, expires=end)).code == Code.BAD_REQUEST
    assert light.resources.refused == {reason: 1}


def test_a_holder_of_a_token_that_has_not_its_key_gets_nothing(light):
    assert meet(light, light.issue(), key=_OTHER).code >> 5 == 4
    assert not is_open(light)


@pytest.mark.parametrize("count", [0, 2])
def test_one_token_is_shown_no_more_and_no_less(light, count):
    assert meet(light, items=peer.token_item(light.issue()) * count).code == Code.BAD_REQUEST


@pytest.mark.spec("RFC 9770 11.1")
def test_a_revoked_token_ends_its_session_and_opens_no_other(light):
    shown = light.issue()
    meet(light, shown)
    light.revocations.on_revoked = light.server.end
    light.revoke(shown)
    assert not is_open(light)
    assert under_session(light) is None
    assert meet(light, shown).code == Code.BAD_REQUEST
    assert light.resources.refused == {"revoked": 1}


def test_a_session_of_another_token_goes_on(light):
    meet(light)
    light.server.end({b"\x01" + bytes(32)})
    assert is_open(light)


def test_a_session_ends_with_its_token_by_the_clock_even_before_the_story_wakes(light):
    meet(light)
    story = light.server.story()
    assert next(story) == Wait(3600.0, PEER_STORY)
    light.clock.seconds += 3600
    assert under_session(light) is None
    assert next(story) == Wait(86400.0, PEER_STORY)
    assert not is_open(light)


@pytest.mark.spec("RFC 9200 5.10.1")
def test_a_newer_token_of_a_client_takes_the_place_of_the_older(light):
    meet(light)
    meet(light, light.issue(scope=Scope({"/light": 1})))
    assert under_session(light) == (_ASSOCIATION, Scope({"/light": 1}))


def test_sessions_are_bounded_and_the_first_to_end_makes_room(light):
    names = [f"thing-{'abcdefghijklmnop'[number % 16] * 15}{'abc'[number // 16]}" for number in range(33)]
    for number, name in enumerate(names):
        shown = light.issue(subject=name, expires=light.clock.utc() + timedelta(hours=1, seconds=-number))
        assert meet(light, shown, name=name).code == Code.CHANGED
    assert len(light.server.sessions()) == 32
    assert names[31] not in light.server.sessions()


def test_who_leaves_its_domain_serves_nobody(light):
    meet(light)
    light.server.leave()
    assert not is_open(light)
    assert meet(light).code == Code.BAD_REQUEST


@pytest.mark.parametrize(("domain", "stays"), [("home", True), ("away", False)])
def test_sessions_outlive_a_rejoin_of_the_same_domain_alone(light, domain, stays):
    meet(light)
    light.entitle(domain)
    assert is_open(light) is stays


def test_message_3_from_elsewhere_has_to_show_its_source_first(light):
    assert meet(light, source=("192.0.2.77", 5683)) is None
    assert not is_open(light)


def test_a_crowd_of_strangers_has_to_show_its_sources_and_the_first_handshakes_go_on(light):
    answers = [_begin(light, ("203.0.113.1", port)) for port in range(1, 9)]
    assert sum(answer is None for answer in answers) == 4
    shown = _begin(light, ("203.0.113.1", 99), is_fresh=True)
    assert shown is not None
    assert shown.code == Code.CHANGED


def _begin(light, source, **changes) -> Message | None:
    initiator = Initiator(
        method=join.METHOD,
        suites=join.SUITES,
        credential=peer.credential(SWITCH_KEY.public, SWITCH),
        key=SWITCH_KEY,
        connection_id=b"\x21\x22",
        ephemeral=generate,
    )
    message_1, _ = initiator.message_1()
    answer: Message | None = light.answer(_post(coap_carriage.frame_message_1(message_1)), source, **changes)
    return answer


@pytest.mark.parametrize("payload", [b"", b"\xf5", b"\xf5\x03\x02", b"\x41\x00\x41\x00", b"\xf5" + bytes(600)])
def test_nonsense_is_refused_in_words_of_edhoc(light, payload):
    answer = light.answer(_post(payload))
    assert answer.code >> 5 == 4
    assert answer.payload


def test_a_client_and_a_light_agree():
    light = Light()
    switch = Switch(light)
    answer = switch.play(switch.client.ask(LIGHT, LIGHT_AT, request(Code.PUT, "/light")))
    assert answer.code == Code.CHANGED
    ours = switch.endpoint.association(AssociationId(f"to-{LIGHT}"))
    theirs = light.endpoint.association(_ASSOCIATION)
    assert ours is not None
    assert theirs is not None
    assert ours.context.sender.id == theirs.context.recipient.id
    assert ours.context.recipient.id == theirs.context.sender.id


def test_held_tokens_are_read_back_and_damaged_ones_are_not():
    held = HeldToken(LIGHT, b"token", SWITCH_KEY.public, Light().clock.utc(), Light().clock.utc())
    assert HeldToken.decode(LIGHT, held.encode()) == held
    assert replace(held, server="x") != held
    for data in (b"", b"\x80", b"\x85\x00\x00\x00\x00\x00"):
        with pytest.raises(DecodeError):
            HeldToken.decode(LIGHT, data)


# --- what it tells its domain


@pytest.mark.requirement("R-09")
def test_it_tells_when_it_last_took_something_under_a_token_and_takes_it_until_that_is_revoked(light):
    access_token = light.issue()
    hashes = [token.token_hash(access_token)]
    assert light.server.standing(hashes) == MemberStanding(True, 0, None)
    meet(light, access_token)
    under_session(light)
    at = light.clock.utc()
    light.clock.seconds += 5
    assert light.server.standing(hashes) == MemberStanding(True, 0, at)
    light.revoke(access_token)
    assert light.server.standing(hashes) == MemberStanding(False, 0, at)
    assert light.server.standing([*hashes, token.token_hash(b"another")]).accepts


def test_what_it_took_from_whom_is_remembered_within_bounds(light):
    for _ in range(70):
        access_token = light.issue()
        meet(light, access_token)
        under_session(light)
    assert len(light.server._table._accepted) == 64
    assert light.server.standing([token.token_hash(access_token)]).last_acceptance is not None
    light.server.leave()
    assert light.server.standing([token.token_hash(access_token)]).last_acceptance is None
