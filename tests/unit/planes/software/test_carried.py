"""What is kept of a release is read back as it was, or refused."""

from datetime import UTC, datetime

import pytest

from thingstead.crypto.digest import digest
from thingstead.errors import DecodeError
from thingstead.planes.software.carried import (
    Bundle,
    Carried,
    Held,
    Waiting,
    decode_carried,
    decode_waiting,
    encode_carried,
    encode_waiting,
)
from thingstead.protocols.cbor import codec

AT = datetime(2026, 11, 23, tzinfo=UTC)
CARRIED = Carried(600, 1200, (-9, -48), "1.1.0", 2, {"words.json": b'{"en": "Mends a leak."}'})
HELD = Held("ab" * 32, "LX-1", "1.1.0", "owner", AT, ("mud.json: it may contact b.example",), digest(b"envelope"))
WAITING = Waiting(HELD, b"envelope", b"image", Bundle({"mud.json": b"{}"}, b"statement"))


def test_what_is_kept_is_read_back():
    assert decode_carried(encode_carried(CARRIED)) == CARRIED
    assert decode_waiting(encode_waiting(WAITING)) == WAITING


def test_a_member_that_cannot_be_read_any_more_says_nothing():
    side = Carried(1, 2, (-9,), "1", 1, {"words.json": b"[]"}).side(at=AT)
    assert (side.consequences.words, side.image) == ({}, 2)
    assert CARRIED.side(at=AT).consequences.say("en") == "Mends a leak."


@pytest.mark.parametrize("value", [[], {}, [1, 2, 3, 4, 5, 6], [b"", "", "", "", "now", [], b"", b"", {}, b""]])
def test_what_is_not_ours_is_refused(value):
    for decode in (decode_carried, decode_waiting):
        with pytest.raises(DecodeError):
            decode(codec.encode(value))
