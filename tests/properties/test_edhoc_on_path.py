"""Invariant: whatever somebody on the path relays, swaps, drops, repeats, reorders, changes or downgrades, at whichever
message, under every method and type of credential: no end completes a session that the other did not have with it.
"""

import random
from typing import Any

import pytest

from tests.properties.on_path import CREDENTIALS, Ground, Session, party, play, recorded, with_first, with_point
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, ProtocolError, SecurityError, StateError, ThingsteadError
from thingstead.protocols.edhoc.authentication import METHODS
from thingstead.protocols.edhoc.error import ErrorCode, ErrorMessage, PeerError, WrongSuiteError, encode_error

pytestmark = [pytest.mark.requirement("R-27"), pytest.mark.spec("RFC 9528 9.1")]

MESSAGES = (1, 2, 3, 4)
GROUNDS = [(method, form) for method in METHODS for form in CREDENTIALS]


@pytest.fixture(scope="module", params=GROUNDS, ids=lambda ground: f"method {ground[0]}, {ground[1]}")
def ground(request):
    return Ground(*request.param)


def on(target, change):
    """Change one message, let the others pass."""
    return lambda number, message: change(message) if number == target else message


def flip(position, mask=0x01):
    def change(message):
        at = position % len(message)
        return message[:at] + bytes([message[at] ^ mask]) + message[at + 1 :]

    return change


def refused(session, attack, *, until):
    """Nobody completed, or where message_4 is hit, the thing did not."""
    refusal = play(session, attack)
    assert isinstance(refusal, (ProtocolError, SecurityError))
    assert set(session.completed) <= ({"domain"} if until == 4 else set())
    return refusal


def test_without_an_attack_both_ends_hold_the_same_keys_and_name_each_other(ground):
    session = Session(ground)
    assert play(session, lambda _number, message: message) is None
    thing, domain = session.completed["thing"], session.completed["domain"]
    assert thing.oscore().master_secret == domain.oscore().master_secret
    assert thing.peer.public == ground.domain.key.public
    assert domain.peer.public == ground.thing.key.public


@pytest.mark.parametrize("target", MESSAGES)
def test_dropped_cut_and_lengthened_messages(ground, target):
    for change in (
        lambda _message: b"",
        lambda message: message[:-1],
        lambda message: message[: len(message) // 2],
        lambda message: message + b"\x00",
        lambda message: message + message,
    ):
        refused(Session(ground), on(target, change), until=target)


@pytest.mark.parametrize("target", MESSAGES)
def test_a_changed_byte_anywhere(ground, target):
    size = len(recorded(Session(ground))[target])
    for position in {*range(0, size, max(1, size // 12)), size - 1}:
        for mask in (0x01, 0x80):
            refused(Session(ground), on(target, flip(position, mask)), until=target)


@pytest.mark.parametrize("target", MESSAGES)
def test_the_same_message_of_another_session_of_the_same_parties(ground, target):
    other = recorded(Session(ground))
    refused(Session(ground), on(target, lambda _message: other[target]), until=target)


@pytest.mark.parametrize("target", MESSAGES)
def test_the_same_message_of_a_session_between_two_others(ground, target):
    row = METHODS[ground.method]
    thing, domain = (
        party(name, kind, ground.form, ground.trust)
        for name, kind in (("other thing", row.initiator), ("other domain", row.responder))
    )
    cases: list[dict[str, Any]] = [{"thing": thing}, {"domain": domain}, {"thing": thing, "domain": domain}]
    for between in cases:
        other = recorded(Session(ground, **between))
        refused(Session(ground), on(target, lambda _message, other=other: other[target]), until=target)


@pytest.mark.spec("RFC 9528 9.1")
def test_who_is_relayed_to_another_honest_party_learns_whom_it_speaks_to(ground):
    """Nobody on the path can have the thing believe in the one while the other answers."""
    other = party("other domain", METHODS[ground.method].responder, ground.form, ground.trust)
    session = Session(ground, domain=other)
    assert play(session, lambda _number, message: message) is None
    assert session.completed["thing"].peer.public == other.key.public != ground.domain.key.public


@pytest.mark.parametrize("target", MESSAGES)
def test_another_message_of_the_same_or_another_session(ground, target):
    other = recorded(Session(ground))
    for instead in MESSAGES:
        if instead == target:
            continue
        seen: dict[int, bytes] = {}

        def reorder(number, message, instead=instead, seen=seen):
            seen[number] = message
            return seen.get(instead, other[instead]) if number == target else message

        refused(Session(ground), reorder, until=target)


@pytest.mark.parametrize("target", [1, 2])
def test_the_attackers_ephemeral_key(ground, target):
    point = generate(KeyType.P256).public.x
    refused(Session(ground), on(target, lambda message: with_point(message, point)), until=target)


@pytest.mark.parametrize("target", [2, 3, 4])
def test_an_error_message_in_place_of_a_message(ground, target):
    for error in (ErrorMessage(ErrorCode.UNSPECIFIED), ErrorMessage(ErrorCode.WRONG_SUITE, suites=(2,))):
        said = encode_error(error)
        assert isinstance(refused(Session(ground), on(target, lambda _m, said=said: said), until=target), PeerError)


@pytest.mark.spec("RFC 9528 6.3")
def test_a_downgrade_of_method_or_suite(ground):
    for method in METHODS:
        if method != ground.method:
            session = Session(ground, responder=ground.responder(methods=frozenset({ground.method})))
            refused(session, on(1, lambda message, method=method: with_first(message, method)), until=1)
    for suites in (2, [3, 2], [2, 3], [6, 2], 0):
        session = Session(ground, suites=(3, 2), selected=3)
        refused(session, on(1, lambda message, suites=suites: with_first(message, ground.method, suites)), until=1)


@pytest.mark.spec("RFC 9528 6.3.1")
def test_a_forged_list_of_suites_does_not_lead_to_a_worse_one(ground):
    """The Initiator believes it and offers suite 2, its preferences before it: the Responder sees the better one."""
    refusal = refused(Session(ground, suites=(3, 2), selected=2), lambda _number, message: message, until=1)
    assert isinstance(refusal, WrongSuiteError)
    hidden = Session(ground, suites=(3, 2), selected=2)
    refused(hidden, on(1, lambda message: with_first(message, ground.method, 2)), until=2)


def test_the_attacker_in_the_place_of_either_party(ground):
    """With a key of its own behind the names of others, nobody trusted vouches for it."""
    for replaced in ({"domain": ground.false_domain}, {"thing": ground.false_thing}):
        refused(Session(ground, **replaced), lambda _number, message: message, until=3)


def test_the_attacker_who_shows_the_credential_of_another_without_its_key(ground):
    """The signer or agreement is the attacker's, the credential a true one: what it proves is not its own key."""
    for role, true, false in (
        ("domain", ground.domain, ground.false_domain),
        ("thing", ground.thing, ground.false_thing),
    ):
        stolen = type(true)(false.name, _Mismatched(false.key, true.key.public), true.credential)
        assert isinstance(refused(Session(ground, **{role: stolen}), lambda _n, m: m, until=3), AuthenticationError)


class _Mismatched:
    """A key that says it is another."""

    def __init__(self, key, public):
        self._key = key
        self.public = public

    def sign(self, data, signature_id):
        return self._key.sign(data, signature_id)

    def agree(self, peer):
        return self._key.agree(peer)


@pytest.mark.spec("RFC 9528 5.1")
def test_what_a_state_has_taken_it_does_not_take_again(ground):
    message_1, waiting_2 = ground.initiator(ground.thing).message_1()
    accepted = ground.responder().receive(message_1)
    message_2, waiting_3 = accepted.message_2(b"\x22", ground.domain.credential, key=ground.domain.key)
    authenticated = waiting_2.receive(message_2).authenticate(ground.domain.credential)
    message_3, waiting_4 = authenticated.message_3()
    message_4, _completed = waiting_3.receive(message_3).authenticate(ground.thing.credential).message_4()
    waiting_4.receive(message_4)
    for again in (
        lambda: accepted.message_2(b"\x33", ground.domain.credential, key=ground.domain.key),
        lambda: waiting_2.receive(message_2),
        authenticated.message_3,
        lambda: waiting_3.receive(message_3),
        lambda: waiting_4.receive(message_4),
        waiting_4.complete_unconfirmed,
    ):
        with pytest.raises(StateError):
            again()


@pytest.mark.parametrize("seed", range(4))
def test_any_message_to_anybody_in_any_order(ground, seed):
    """Four sessions at once; each step delivers something seen, as it was or changed, to somebody who waits."""
    chance = random.Random(f"{ground.method} {ground.form} {seed}")
    sessions = [Session(ground, c_i=bytes([0x80, number])) for number in range(4)]
    waiting = {number: session.messages() for number, session in enumerate(sessions)}
    outbox = {number: next(run) for number, run in waiting.items()}
    seen = list(outbox.values())
    due = dict.fromkeys(waiting, 1)
    hit: dict[int, int] = {}
    while outbox:
        number = chance.choice(sorted(outbox))
        delivered = outbox[number]
        if chance.random() < 0.3:
            delivered = chance.choice(seen)
            if chance.random() < 0.5:
                delivered = flip(chance.randrange(1 << 16), 1 << chance.randrange(8))(delivered)
        if delivered != outbox[number]:
            hit.setdefault(number, due[number])
        due[number] += 1
        try:
            outbox[number] = waiting[number].send(delivered)
            seen.append(outbox[number])
        except (StopIteration, ThingsteadError):
            del outbox[number]
    for number, session in enumerate(sessions):
        ends = {1: set(), 2: set(), 3: set(), 4: {"domain"}, None: {"domain", "thing"}}
        assert set(session.completed) == ends[hit.get(number)]
