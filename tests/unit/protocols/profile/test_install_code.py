"""A code survives a person's hand: what was misread is found, what was not is the same key."""

import random

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.profile.install_code import (
    InstallCode,
    key_of,
    kid_of,
    make_code,
    parse_code,
    render_code,
    shared_credential,
)
from thingstead.secret import Secret

CODE = make_code(random.Random(4).randbytes)
TEXT = render_code(CODE)


def test_a_code_is_thirty_characters_in_groups_and_read_back():
    assert [len(group) for group in TEXT.split("-")] == [5] * 6
    assert parse_code(TEXT) == CODE


@pytest.mark.parametrize("seed", range(20))
def test_every_code_is_read_back_however_it_is_typed(seed):
    code = make_code(random.Random(seed).randbytes)
    text = render_code(code)
    typed = (text.lower(), text.replace("-", " "), text.replace("-", ""), text.replace("0", "o").replace("1", "l"))
    assert {parse_code(one).secret.reveal() for one in typed} == {code.secret.reveal()}


@pytest.mark.parametrize("place", [at for at, letter in enumerate(TEXT) if letter != "-"])
def test_one_wrong_character_is_found(place):
    for letter in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":
        if letter != TEXT[place]:
            with pytest.raises(DecodeError, match="compare it with the label"):
                parse_code(TEXT[:place] + letter + TEXT[place + 1 :])


def test_neighbours_that_changed_places_are_found():
    letters = TEXT.replace("-", "")
    for at in range(len(letters) - 1):
        swapped = letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :]
        if swapped != letters:
            with pytest.raises(DecodeError):
                parse_code(swapped)


@pytest.mark.parametrize("text", ["", "-", TEXT[:-1], TEXT + "0", TEXT[:-1] + "U", TEXT[:-1] + "!", "é" * 30, "0" * 31])
def test_what_is_no_code_is_refused_and_not_repeated(text):
    with pytest.raises(DecodeError) as refusal:
        parse_code(text)
    assert not text.strip("-") or text not in str(refusal.value)


@pytest.mark.requirement("R-24")
def test_neither_name_nor_representation_tells_the_code():
    raw = CODE.secret.reveal()
    assert kid_of(CODE) not in raw
    assert key_of(CODE).reveal()[:16] != raw
    assert raw.hex() not in repr(CODE)


def test_the_key_is_shared_between_two_that_have_names_of_their_own():
    shared = shared_credential(kid_of(CODE), key_of(CODE))
    assert shared.cred_i != shared.cred_r
    assert len(shared.psk) == 32
    other = InstallCode(Secret(bytes(16)))
    assert kid_of(other) != kid_of(CODE)
    assert key_of(other) != key_of(CODE)
