"""A series has one identifier, and the version of the draft stands in one place."""

from pathlib import Path

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.ace import edhoc_profile

SPEC = "draft-ietf-ace-edhoc-oscore-profile-11"


@pytest.mark.spec(SPEC + " 3.4")
def test_a_series_comes_back():
    assert edhoc_profile.series_of(edhoc_profile.information(b"\x01")) == b"\x01"


def test_hints_beside_it_are_passed_over():
    assert edhoc_profile.series_of({0: b"\x01", 1: [0, 1, 2, 3], 2: 0}) == b"\x01"


@pytest.mark.parametrize("value", [None, b"", {}, {0: ""}, {0: b""}, {0: bytes(17)}, {1: 3}, [b"\x01"]])
def test_without_one_it_is_refused(value):
    with pytest.raises(DecodeError):
        edhoc_profile.series_of(value)


def test_the_code_speaks_of_one_version():
    sources = Path(edhoc_profile.__file__).parents[2].rglob("*.py")
    spoken = {
        word.strip("().,;:`'\"") for one in sources for word in one.read_text().split() if "ace-edhoc-osc" in word
    }
    assert {word.split("/")[-1] for word in spoken} == {SPEC}
    assert edhoc_profile.DRAFT == SPEC
