"""Invariant: whatever somebody on the path changes, drops, repeats, reorders or downgrades, under a shared key, a KEM,
with a maker's voucher, or with message_3 in front of the first request: no end takes the other for authentic that it
had no session with.
"""

import random
from typing import Any

import pytest

from tests.properties.drafts_on_path import KINDS
from tests.properties.on_path import play, recorded, with_first
from thingstead.errors import ProtocolError, SecurityError, ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.authentication import METHODS
from thingstead.protocols.edhoc.error import ErrorCode, ErrorMessage, encode_error

pytestmark = [pytest.mark.requirement("R-27"), pytest.mark.spec("RFC 9528 9.1")]
MESSAGES = (1, 2, 3, 4)


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.fixture(scope="module")
def other(kind):
    """The messages of another session between the same two."""
    return recorded(kind())


def on(target, change):
    return lambda number, message: change(message) if number == target else message


def refused(conversation, attack, *, until):
    refusal = play(conversation, attack)
    assert isinstance(refusal, (ProtocolError, SecurityError))
    assert set(conversation.completed) <= ({"domain"} if until == 4 else set())
    return refusal


def test_without_an_attack_both_ends_hold_the_same_keys(kind):
    conversation = kind()
    assert play(conversation, lambda _number, message: message) is None
    thing, domain = conversation.completed["thing"], conversation.completed["domain"]
    assert thing.master_secret == domain.master_secret
    assert (thing.sender_id, thing.recipient_id) == (domain.recipient_id, domain.sender_id)


@pytest.mark.parametrize("target", MESSAGES)
def test_dropped_cut_and_lengthened_messages(kind, target):
    for change in (
        lambda _message: b"",
        lambda message: message[:-1],
        lambda message: message[: len(message) // 2],
        lambda message: message + b"\x00",
        lambda message: message + message,
    ):
        refused(kind(), on(target, change), until=target)


@pytest.mark.parametrize("target", MESSAGES)
def test_a_changed_byte_anywhere(kind, other, target):
    size = len(other[target])
    for position in {*range(0, size, max(1, size // 12)), size - 1}:
        for mask in (0x01, 0x80):

            def flip(message, position=position, mask=mask):
                at = position % len(message)
                return message[:at] + bytes([message[at] ^ mask]) + message[at + 1 :]

            refused(kind(), on(target, flip), until=target)


@pytest.mark.parametrize("target", MESSAGES)
def test_any_message_of_another_session_of_the_same_two(kind, other, target):
    for instead in MESSAGES:
        refused(kind(), on(target, lambda _message, instead=instead: other[instead]), until=target)


@pytest.mark.parametrize("target", [2, 3, 4])
def test_an_earlier_message_of_the_same_session(kind, target):
    for instead in range(1, target):
        seen: dict[int, bytes] = {}

        def again(number, message, instead=instead, seen=seen):
            seen[number] = message
            return seen[instead] if number == target else message

        refused(kind(), again, until=target)


@pytest.mark.parametrize("target", [1, 2])
def test_the_attackers_ephemeral_key_or_ciphertext(kind, target):
    def swap(message):
        fresh = recorded(kind())[target]
        if target == 1:
            return with_first(message, *codec.decode_sequence(fresh)[:3])
        ours, theirs = codec.decode(message), codec.decode(fresh)
        size = 1568 if len(ours) > 2000 else 32
        return codec.encode(theirs[:size] + ours[size:])

    refused(kind(), on(target, swap), until=target)


@pytest.mark.parametrize("target", [2, 3, 4])
def test_an_error_message_in_place_of_a_message(kind, target):
    for error in (ErrorMessage(ErrorCode.UNSPECIFIED), ErrorMessage(ErrorCode.WRONG_SUITE, suites=(2,))):
        said = encode_error(error)
        refused(kind(), on(target, lambda _message, said=said: said), until=target)


@pytest.mark.spec("RFC 9528 6.3")
def test_a_downgrade_of_method_or_suite(kind, other):
    method = codec.decode_sequence(other[1])[0]
    for another in {*METHODS, 4} - {method}:
        refused(kind(), on(1, lambda message, another=another: with_first(message, another)), until=1)
    for suites in ([2, 3], [6, 2], 0, 2, [-21, 2], [3, 2]):
        if suites != list(kind.suites):
            refused(kind(), on(1, lambda message, suites=suites: with_first(message, method, suites)), until=1)


def test_a_thing_that_holds_another_key_than_it_says(kind):
    refused(kind(forged=True), lambda _number, message: message, until=3)


@pytest.mark.parametrize("seed", range(12))
def test_any_message_to_anybody_in_any_order(kind, seed):
    """Three sessions at once; each step delivers something seen, as it was or changed, to somebody who waits."""
    chance = random.Random(seed)
    sessions = [kind() for _ in range(3)]
    waiting: dict[int, Any] = {number: session.messages() for number, session in enumerate(sessions)}
    outbox = {number: next(run) for number, run in waiting.items()}
    seen, due, hit = list(outbox.values()), dict.fromkeys(waiting, 1), dict[int, int]()
    while outbox:
        number = chance.choice(sorted(outbox))
        delivered = chance.choice(seen) if chance.random() < 0.3 else outbox[number]
        if delivered != outbox[number]:
            hit.setdefault(number, due[number])
        due[number] += 1
        try:
            outbox[number] = waiting[number].send(delivered)
            seen.append(outbox[number])
        except (StopIteration, ThingsteadError):
            del outbox[number]
    for number, session in enumerate(sessions):
        ends = {None: {"domain", "thing"}, 4: {"domain"}}.get(hit.get(number), set())
        assert set(session.completed) == ends
