"""What is kept of a token is enough to use it after a crash, and nothing else is taken for one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from thingstead.agent.held_token import HeldToken
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

AT = datetime(2026, 11, 23, tzinfo=UTC)
LIGHT = "thing-aaaaaaaaaaaaaaaa"
KEYED = HeldToken(LIGHT, b"token", generate(KeyType.P256).public, AT, AT + timedelta(hours=4), series=b"series")
SHARED = HeldToken(
    LIGHT,
    b"token",
    None,
    AT,
    AT + timedelta(hours=4),
    ("192.0.2.1", 5683),
    material=InputMaterial(b"\x01", Secret(bytes(16)), b"salt"),
    series=b"\x01",
    is_first=False,
)


@pytest.mark.parametrize("held", [KEYED, SHARED])
def test_it_comes_back_as_it_was(held):
    assert HeldToken.decode(LIGHT, held.encode()) == held


def test_it_is_renewed_in_the_last_quarter():
    assert KEYED.renewal == AT + timedelta(hours=3)


def test_its_secret_is_not_shown():
    assert bytes(16).hex() not in repr(SHARED)


def _with(held, place, value):
    return codec.encode([*codec.decode(held.encode())[:place], value, *codec.decode(held.encode())[place + 1 :]])


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", DecodeError),
        (b"\x80", DecodeError),
        (codec.encode(codec.decode(KEYED.encode())[:5]), DecodeError),
        (replace(KEYED, rs_public=None).encode(), DecodeError),
        (replace(SHARED, rs_public=KEYED.rs_public).encode(), DecodeError),
        (_with(KEYED, 0, "token"), DecodeError),
        (_with(KEYED, 1, {1: 2}), UnsupportedError),
        (_with(KEYED, 2, "now"), DecodeError),
        (_with(KEYED, 4, ["192.0.2.1"]), DecodeError),
        (_with(SHARED, 5, {0: b"\x01"}), DecodeError),
        (_with(SHARED, 6, None), DecodeError),
        (_with(SHARED, 7, 1), DecodeError),
    ],
)
def test_what_is_damaged_is_refused(data, error):
    with pytest.raises(error):
        HeldToken.decode(LIGHT, data)
