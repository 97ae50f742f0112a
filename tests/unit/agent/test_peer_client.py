"""A switch acts on tokens that it has, and asks the domain for no more than it must."""

from datetime import timedelta

import pytest

from tests.unit.agent.peers import LIGHT, LIGHT_AT, Light, Switch
from thingstead.agent.story import Wait
from thingstead.endpoint.event import AssociationId
from thingstead.errors import (
    DecodeError,
    ForbiddenError,
    StateError,
    TransportError,
    UntrustedError,
)
from thingstead.protocols.ace.token import token_hash
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code

pytestmark = pytest.mark.requirement("R-57")
_PRESS = request(Code.PUT, "/light")
_ASSOCIATION = AssociationId(f"to-{LIGHT}")
_REFUSED = Message(Code.BAD_REQUEST, payload=codec.encode({30: 4}))


@pytest.fixture
def switch():
    return Switch(Light())


def press(switch):
    return switch.play(switch.client.ask(LIGHT, LIGHT_AT, _PRESS))


def places(switch):
    return ["domain" if one.to is None else (one.to.association or "edhoc") for one in switch.asked]


def test_the_first_request_fetches_a_token_and_meets_the_light_and_the_next_does_neither(switch):
    assert press(switch).code == Code.CHANGED
    assert press(switch).code == Code.CHANGED
    assert places(switch) == ["domain", "edhoc", "edhoc", _ASSOCIATION, _ASSOCIATION]


def test_a_thing_in_no_domain_asks_nobody_and_says_so(switch):
    switch.client.leave()
    with pytest.raises(StateError, match="in no domain"):
        press(switch)
    assert switch.asked == []


def test_with_a_token_from_before_a_restart_the_domain_is_not_needed(switch):
    press(switch)
    again = Switch(switch.light, switch.disk)
    again.domain = TransportError("off")
    assert press(again).code == Code.CHANGED
    assert places(again) == ["edhoc", "edhoc", _ASSOCIATION]


def test_a_token_that_has_ended_is_not_shown(switch):
    press(switch)
    switch.clock.seconds += 3600
    switch.domain = TransportError("off")
    with pytest.raises(TransportError):
        press(switch)
    assert places(switch)[4:] == ["domain"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (_REFUSED, "unauthorized_client"),
        (Message(Code.FORBIDDEN), "forbidden"),
        (Message(Code.BAD_REQUEST, payload=codec.encode({30: 99})), "forbidden"),
    ],
)
def test_a_refused_token_says_why_and_nothing_is_kept(switch, answer, reason):
    switch.domain = answer
    with pytest.raises(ForbiddenError) as caught:
        press(switch)
    assert caught.value.reason == reason
    assert switch.disk == {}


@pytest.mark.parametrize("payload", [b"", b"\xa0", b"\x00"])
def test_nonsense_for_a_token_is_not_kept(switch, payload):
    switch.domain = Message(Code.CREATED, payload=payload)
    with pytest.raises(DecodeError):
        press(switch)
    assert switch.disk == {}


def test_a_light_that_forgot_us_is_met_again_and_asked_once_more(switch):
    press(switch)
    switch.protected = [UntrustedError("4.01 in clear")]
    assert press(switch).code == Code.CHANGED
    assert places(switch)[4:] == [_ASSOCIATION, "edhoc", "edhoc", _ASSOCIATION]


def test_a_light_that_refuses_a_session_just_made_is_not_asked_again(switch):
    switch.protected = [UntrustedError("4.01 in clear")]
    with pytest.raises(UntrustedError):
        press(switch)
    assert places(switch).count(_ASSOCIATION) == 1


def test_what_the_light_did_not_answer_is_not_sent_again(switch):
    press(switch)
    switch.protected = [TransportError("gone")]
    with pytest.raises(TransportError):
        press(switch)
    assert places(switch)[4:] == [_ASSOCIATION]


@pytest.mark.spec("RFC 9770 11.1")
def test_a_revoked_token_is_expunged_and_its_session_ends(switch):
    press(switch)
    switch.client.forget({b"\x01" + bytes(32)})
    assert switch.client.tokens()
    switch.client.forget({token_hash(switch.access_token)})
    assert switch.client.tokens() == {}
    assert switch.disk == {}
    assert switch.endpoint.association(_ASSOCIATION) is None


def test_who_has_left_its_domain_meets_nobody(switch):
    press(switch)
    switch.client.leave()
    assert switch.endpoint.association(_ASSOCIATION) is None
    with pytest.raises(StateError):
        press(switch)


def test_tokens_are_renewed_in_the_last_quarter_and_asked_for_again_while_the_domain_is_away(switch):
    press(switch)
    story = switch.client.story()
    assert switch.play(story) == Wait(2700.0, "tokens")
    switch.clock.seconds += 2700
    switch.domain = TransportError("off")
    assert switch.play(story) == Wait(2.0, "tokens")
    switch.domain = None
    switch.access_token = switch.issue(expires=switch.clock.utc() + timedelta(hours=1))
    assert switch.play(story) == Wait(2700.0, "tokens")
    assert press(switch).code == Code.CHANGED
    assert places(switch)[-3:] == ["edhoc", "edhoc", _ASSOCIATION], "the newer token is shown"


def test_a_token_that_is_not_renewed_is_dropped(switch):
    press(switch)
    switch.clock.seconds += 2700
    switch.domain = _REFUSED
    assert switch.play(switch.client.story()) == Wait(3600.0, "tokens")
    assert switch.client.tokens() == {}


def test_few_tokens_are_kept(switch):
    for number in range(33):
        switch.lives = 3600 + number
        switch.play(switch.client.fetch(f"thing-{number}"))
    assert len(switch.client.tokens()) == 32
    assert "thing-0" not in switch.client.tokens()


def test_a_damaged_token_is_given_up(switch):
    press(switch)
    switch.disk[f"token-{LIGHT}"] = b"\x80"
    again = Switch(switch.light, switch.disk)
    assert again.client.tokens() == {}
    assert again.disk == {}


def _shown(text):
    return Message(Code.CONTENT, payload=text.encode())


def _press_somewhere(switch):
    return switch.play(switch.client.ask(LIGHT, None, _PRESS))


def test_where_a_light_is_the_directory_says_once_and_it_is_known_without_the_domain(switch):
    switch.directory = _shown(f'</rd/own?ep={LIGHT}>;ep="{LIGHT}";base="coap://192.0.2.2:5683"')
    assert _press_somewhere(switch).code == Code.CHANGED
    assert [one.to.address for one in switch.asked if one.to is not None] == [LIGHT_AT] * 3
    again = Switch(switch.light, switch.disk)
    again.domain = TransportError("off")
    assert _press_somewhere(again).code == Code.CHANGED
    assert places(again) == ["edhoc", "edhoc", _ASSOCIATION]


@pytest.mark.parametrize(
    "said", [Message(Code.FORBIDDEN), _shown(""), _shown("</x>"), _shown('</x>;base="coap+tcp://192.0.2.2"')]
)
def test_whom_the_directory_does_not_know_cannot_be_asked(switch, said):
    switch.directory = said
    with pytest.raises(TransportError):
        _press_somewhere(switch)
    assert "edhoc" not in places(switch)


def test_a_light_that_did_not_answer_is_looked_for_again_and_where_it_was_while_the_domain_is_off(switch):
    switch.directory = _shown(f'</rd/own?ep={LIGHT}>;base="coap://192.0.2.2:5683"')
    _press_somewhere(switch)
    for found, place in ((_shown('</x>;base="coap://192.0.2.9:1"'), ("192.0.2.9", 1)), (None, ("192.0.2.9", 1))):
        switch.protected = [TransportError("gone")]
        with pytest.raises(TransportError):
            _press_somewhere(switch)
        switch.directory = found
        switch.domain = TransportError("off")
        assert _press_somewhere(switch).code == Code.CHANGED
        assert switch.asked[-1].to.address == place
