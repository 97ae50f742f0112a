"""The name of a token for a thing without a clock holds its number, and is of its resource server alone."""

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.ace import exi

LIGHT = "thing-aaaaaaaaaaaaaaaa"


@pytest.mark.spec("RFC 9200 5.10.3")
@pytest.mark.parametrize("number", [0, 1, (1 << 64) - 1])
def test_a_number_comes_back(number):
    assert exi.sequence_number(exi.token_id(LIGHT, number), LIGHT) == number


def test_it_is_name_and_number():
    assert exi.token_id("light", 5) == b"light" + bytes(7) + b"\x05"


@pytest.mark.parametrize(
    "cti",
    [
        b"",
        bytes(8),
        LIGHT.encode(),
        LIGHT.encode() + bytes(7),
        LIGHT.encode() + bytes(9),
        exi.token_id("thing-bbbbbbbbbbbbbbbb", 1),
    ],
)
def test_another_form_is_refused(cti):
    with pytest.raises(DecodeError):
        exi.sequence_number(cti, LIGHT)
