"""Hints as RFC 9200 prints them, and no more of them than can be used."""

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.ace.creation_hints import CreationHints
from thingstead.protocols.cbor import codec

# RFC 9200 Figure 3.
RFC = bytes.fromhex(
    "a401781c636f6170733a2f2f61732e6578616d706c652e636f6d2f746f6b656e0576636f6170733a2f2f72732e6578616d706c652e636f6d"
    "0966725465 6d7043182745e0a156bb3f".replace(" ", "")
)
HINTS = CreationHints("coaps://as.example.com/token", "coaps://rs.example.com", cnonce=bytes.fromhex("e0a156bb3f"))


@pytest.mark.spec("RFC 9200 5.3")
def test_the_hints_of_the_rfc_are_read_but_for_the_scope():
    assert CreationHints.decode(RFC) == HINTS


@pytest.mark.parametrize("hints", [HINTS, CreationHints(), CreationHints(kid=b"kid")])
def test_they_come_back_as_they_were(hints):
    assert CreationHints.decode(hints.encode()) == hints


def test_what_is_empty_is_left_out():
    assert CreationHints().encode() == b"\xa0"


@pytest.mark.parametrize(
    "said",
    [
        [],
        b"",
        {1: b"coap://as"},
        {1: None},
        {1: "x" * 256},
        {2: "kid"},
        {2: bytes(65)},
        {5: 1},
        {39: "nonce"},
        {39: bytes(65)},
        {1: "x" * 1100},
    ],
)
def test_what_is_no_hint_is_refused(said):
    with pytest.raises(DecodeError):
        CreationHints.decode(codec.encode(said))
