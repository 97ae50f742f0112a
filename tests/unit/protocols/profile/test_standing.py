from datetime import UTC, datetime

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.ace.token import token_hash
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.standing import (
    HolderQuestion,
    MemberStanding,
    StandingQuestion,
    decode_question,
    thumbprint,
)

AT = datetime(2026, 11, 23, 12, 0, 0, 1, UTC)
CREDENTIAL = b"a credential as it was issued"
QUESTION = StandingQuestion("lamps", thumbprint(CREDENTIAL))


def test_a_question_names_a_credential_by_its_bytes():
    assert StandingQuestion.decode(QUESTION.encode()) == QUESTION
    assert thumbprint(CREDENTIAL + b"\0") != thumbprint(CREDENTIAL)


@pytest.mark.parametrize(
    "item",
    [
        None,
        {},
        [],
        ["lamps"],
        ["lamps", bytes(31)],
        ["lamps", bytes(33)],
        ["lamps", "x" * 32],
        [b"lamps", bytes(32)],
        ["", bytes(32)],
        ["../keys", bytes(32)],
        ["lamps", bytes(32), None],
    ],
    ids=repr,
)
def test_a_question_that_names_no_group_or_no_credential_is_refused(item):
    with pytest.raises(DecodeError):
        StandingQuestion.decode(codec.encode(item))


@pytest.mark.parametrize(
    "data", [b"", QUESTION.encode()[:-1], QUESTION.encode() + b"\0", b"\xff", b"\x58\xff" + bytes(300)]
)
def test_a_question_that_is_damaged_or_too_long_is_refused(data):
    with pytest.raises(DecodeError):
        StandingQuestion.decode(data)


HOLDER = HolderQuestion((token_hash(b"one"), token_hash(b"two")))


@pytest.mark.parametrize("asked", [QUESTION, HOLDER, HolderQuestion((token_hash(b""),) * 64)], ids=["of", "two", "64"])
def test_each_question_is_read_as_what_it_is(asked):
    assert decode_question(asked.encode()) == asked


@pytest.mark.parametrize(
    "item",
    [
        [],
        [[]],
        [None],
        [token_hash(b"one")],
        [[bytes(32)]],
        [[bytes(34)]],
        [["x" * 33]],
        [[token_hash(b"one"), None]],
        [[token_hash(b"one")] * 65],
        [[token_hash(b"one")], []],
    ],
    ids=lambda item: repr(item)[:40],
)
def test_a_question_that_names_no_tokens_or_too_many_is_refused(item):
    with pytest.raises(DecodeError):
        decode_question(codec.encode(item))
    with pytest.raises(DecodeError):
        HolderQuestion.decode(codec.encode(item))


@pytest.mark.parametrize("last", [None, AT], ids=["never", "once"])
@pytest.mark.parametrize("accepts", [True, False])
def test_an_answer_is_read_as_it_was_given(accepts, last):
    standing = MemberStanding(accepts, 7, last)
    assert MemberStanding.decode(standing.encode()) == standing


@pytest.mark.parametrize(
    "item",
    [
        [],
        [True],
        [True, 1],
        [1, 1, None],
        [None, 1, None],
        [True, None, None],
        [True, True, None],
        [True, -1, None],
        [True, 1, True],
        [True, 1, "now"],
        [True, 1, 1.5],
        [True, 1, 1 << 62],
        [True, 1, -(1 << 62)],
        [True, 1, None, None],
        {0: True, 1: 1},
    ],
    ids=repr,
)
def test_a_thing_that_does_not_say_yes_or_no_has_not_answered(item):
    with pytest.raises(DecodeError):
        MemberStanding.decode(codec.encode(item))


@pytest.mark.parametrize("data", [b"", b"\x83\xf5\1", MemberStanding(True, 1, AT).encode() + b"\0", b"\x9f" * 300])
def test_an_answer_that_is_damaged_or_too_long_is_refused(data):
    with pytest.raises(DecodeError):
        MemberStanding.decode(data)
