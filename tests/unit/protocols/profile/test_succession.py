"""Nobody but who signs releases says who signs them next, and nobody loses his way."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    PolicyError,
    ProtocolError,
    SecurityError,
    StateError,
    UntrustedError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.profile import key_set, release, succession
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.profile.succession import StepKind, UpdateKeys

AT = datetime(2027, 1, 1, tzinfo=UTC)
OLD, NEW, STRANGER = generate(KeyType.P256), generate(KeyType.ML_DSA_44), generate(KeyType.P256)
FIRST, NEXT = KeySet((OLD.public,)), KeySet((NEW.public,))
HYBRID = key_set.hybrid((OLD.public, NEW.public))
BEGIN = succession.begin(FIRST)
INTRODUCTION = succession.introduce(BEGIN, NEXT, [OLD, NEW], at=AT)
OVERLAP = succession.follow(BEGIN, INTRODUCTION)
RETIREMENT = succession.retire(OVERLAP, [OLD, NEW], at=AT)
RETURN = succession.take_back(OVERLAP, [OLD], at=AT)


@pytest.mark.requirement("R-87")
def test_in_overlap_a_release_takes_both_and_after_it_the_new_key_alone():
    assert OVERLAP.effective == key_set.both(FIRST, NEXT)
    after = succession.walk(BEGIN, [INTRODUCTION, RETIREMENT])
    assert (after.number, after.effective, after.incoming) == (2, NEXT, None)


def test_an_introduction_is_taken_back_by_the_old_key_alone():
    after = succession.follow(OVERLAP, RETURN)
    assert (after.number, after.effective) == (2, FIRST)


def test_after_a_retirement_the_way_back_is_another_introduction():
    retired = succession.follow(OVERLAP, RETIREMENT)
    back = succession.introduce(retired, FIRST, [OLD, NEW], at=AT)
    again = succession.follow(retired, back)
    home = succession.follow(again, succession.retire(again, [OLD, NEW], at=AT))
    assert (home.number, home.effective) == (4, FIRST)


def test_to_a_hybrid_that_keeps_the_old_key():
    step = succession.introduce(BEGIN, HYBRID, [OLD, NEW], at=AT)
    overlap = succession.follow(BEGIN, step)
    after = succession.follow(overlap, succession.retire(overlap, [OLD, NEW], at=AT))
    assert after.effective == HYBRID


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize("signers", [[], [OLD], [NEW], [STRANGER], [NEW, STRANGER]])
def test_an_introduction_takes_old_and_new_keys(signers):
    with pytest.raises((UntrustedError, DecodeError)):
        succession.follow(BEGIN, succession.introduce(BEGIN, NEXT, signers, at=AT))


@pytest.mark.parametrize("signers", [[OLD], [NEW], [STRANGER]])
def test_a_retirement_takes_old_and_new_keys(signers):
    with pytest.raises(UntrustedError):
        succession.follow(OVERLAP, succession.retire(OVERLAP, signers, at=AT))


@pytest.mark.parametrize("signers", [[NEW], [STRANGER]])
def test_nobody_but_the_old_keys_takes_an_introduction_back(signers):
    with pytest.raises(UntrustedError):
        succession.follow(OVERLAP, succession.take_back(OVERLAP, signers, at=AT))


def test_a_threshold_counts_for_steps_too():
    others = [generate(KeyType.P256) for _ in range(3)]
    state = succession.begin(key_set.threshold([one.public for one in others], 2))
    with pytest.raises(UntrustedError) as caught:
        succession.follow(state, succession.introduce(state, NEXT, [others[0], NEW], at=AT))
    assert caught.value.reason == "signers"
    half = succession.introduce(state, NEXT, [others[0], NEW], at=AT)
    assert succession.follow(state, succession.sign(half, [others[2]])).incoming == NEXT


@pytest.mark.parametrize("step", [RETIREMENT, RETURN])
def test_a_step_that_does_not_follow_is_refused(step):
    with pytest.raises(UntrustedError) as caught:
        succession.follow(BEGIN, step)
    assert caught.value.reason == "succession"


def test_no_step_is_walked_twice_and_none_of_another_way():
    returned = succession.follow(OVERLAP, RETURN)
    for state, step in ((OVERLAP, INTRODUCTION), (returned, INTRODUCTION), (returned, RETIREMENT)):
        with pytest.raises(UntrustedError):
            succession.follow(state, step)


def test_the_same_number_of_another_maker_does_not_follow():
    with pytest.raises(UntrustedError):
        succession.follow(succession.begin(KeySet((STRANGER.public,))), INTRODUCTION)


def test_an_introduction_within_an_overlap_and_an_end_of_none_are_refused():
    with pytest.raises(StateError):
        succession.introduce(OVERLAP, HYBRID, [OLD, NEW], at=AT)
    with pytest.raises(StateError):
        succession.retire(BEGIN, [OLD], at=AT)
    with pytest.raises(StateError):
        succession.take_back(BEGIN, [OLD], at=AT)
    with pytest.raises(StateError):
        succession.introduce(BEGIN, FIRST, [OLD], at=AT)


def _forged(state, kind, *named):
    """A step in the wrong place, with the right signatures: a maker's own mistake."""
    payload = codec.encode([1, kind, state.number + 1, state.digest, 0, *(named or (None, None))])
    return succession._signed(payload, [OLD, NEW])


@pytest.mark.parametrize(
    ("state", "kind"),
    [(BEGIN, StepKind.RETIRE), (BEGIN, StepKind.RETURN), (BEGIN, StepKind.INTRODUCE), (OVERLAP, StepKind.INTRODUCE)],
)
def test_a_step_that_has_no_place_here_is_refused_whoever_signed_it(state, kind):
    with pytest.raises(StateError):
        succession.follow(state, _forged(state, kind))


def test_more_keys_together_than_a_thing_keeps_are_refused():
    many = [generate(KeyType.ED25519) for _ in range(16)]
    with pytest.raises(PolicyError):
        succession.introduce(BEGIN, KeySet(tuple(one.public for one in many)), [OLD], at=AT)
    named = succession._keys_to_list(KeySet(tuple(one.public for one in many)))
    payload = codec.encode([1, 1, 1, BEGIN.digest, 0, *named])
    with pytest.raises(DecodeError):
        succession.follow(BEGIN, succession._signed(payload, [OLD, *many]))


def test_a_signature_over_another_digest_is_refused():
    payload, _ = codec.decode(INTRODUCTION)
    _, blocks = codec.decode(RETIREMENT)
    with pytest.raises(AuthenticationError):
        succession.follow(BEGIN, codec.encode([payload, blocks]))


def test_the_signature_of_a_release_is_none_of_a_step():
    payload, _ = codec.decode(RETURN)
    block = sign1.sign(
        payload,
        OLD,
        signature_id=release.signer(OLD.public).signature_id,
        kid=key_set.key_id(OLD.public),
        detached=True,
    )
    with pytest.raises(AuthenticationError):
        succession.follow(OVERLAP, codec.encode([payload, [block]]))


@pytest.mark.slow
def test_a_step_with_any_byte_altered_leads_nowhere_else():
    for position in range(len(RETURN)):
        altered = bytearray(RETURN)
        altered[position] ^= 0x41
        with pytest.raises((SecurityError, ProtocolError)):
            succession.follow(OVERLAP, bytes(altered))


@pytest.mark.parametrize("value", [None, [], [b"", []], [b"", [b""]], [b"\x80", [b"x"]], [b"\x81\x01", [1]], {1: 2}])
def test_what_is_no_step_is_refused(value):
    with pytest.raises(DecodeError):
        succession.follow(BEGIN, codec.encode(value))


def test_a_chain_without_end_is_refused():
    with pytest.raises(DecodeError, match="at most"):
        succession.walk(BEGIN, [INTRODUCTION] * 17)


@pytest.mark.parametrize("state", [BEGIN, OVERLAP, succession.begin(HYBRID, 4)])
def test_a_state_is_read_as_it_was_written(state):
    again = succession.decode_state(succession.encode_state(state))
    assert again == state
    assert again.digest == state.digest


@pytest.mark.parametrize("value", [None, [], [2, 0, [[], []], None], [1, -1, [[], []], None], [1, 0, [], None]])
def test_what_is_no_state_is_refused(value):
    with pytest.raises(DecodeError):
        succession.decode_state(codec.encode(value))


def test_every_state_has_a_digest_of_its_own():
    states = [BEGIN, OVERLAP, succession.follow(OVERLAP, RETIREMENT), succession.follow(OVERLAP, RETURN)]
    assert all(one.digest != other.digest for one, other in pairwise(states))
    assert states[3].effective == BEGIN.effective
    assert states[3].digest != BEGIN.digest


def test_what_a_step_does_is_told_without_a_key():
    assert succession.kind_of(RETIREMENT) == (StepKind.RETIRE, AT)


def test_nobody_else_makes_update_keys():
    with pytest.raises(TypeError):
        UpdateKeys(0, FIRST, None, object())
