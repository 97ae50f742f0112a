"""A grant has four parts, whichever way it comes: none missing, none twice."""

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.profile.grant import Grant, decode_grant, decode_granted, encode_grant, encode_granted
from thingstead.protocols.profile.join import ACCESS_TOKEN, CREDENTIAL_BY_VALUE

pytestmark = pytest.mark.spec("RFC 9528 3.8")
GRANT = Grant(b"access", b"granted", b"thing", b"issuer")
ITEMS = encode_grant(GRANT)


@pytest.mark.parametrize("left_out", range(4))
def test_a_grant_with_a_part_missing_is_refused(left_out):
    with pytest.raises(DecodeError, match="expected two items of one EAD label, got 1"):
        decode_grant([item for place, item in enumerate(ITEMS) if place != left_out])


@pytest.mark.parametrize("label", [ACCESS_TOKEN, CREDENTIAL_BY_VALUE])
def test_a_grant_with_a_part_too_many_is_refused(label):
    with pytest.raises(DecodeError, match="got 3"):
        decode_grant([*ITEMS, EadItem(label, b"more")])


@pytest.mark.parametrize("payload", [b"", b"\x40", b"\x41\x00" * 3, b"\x41\x00" * 5, b"\x01\x02\x03\x04", b"\xff"])
def test_a_payload_of_other_than_four_byte_strings_is_refused(payload):
    with pytest.raises(DecodeError):
        decode_granted(payload)


def test_what_is_granted_is_critical_and_read_back():
    assert decode_grant(ITEMS) == GRANT
    assert decode_granted(encode_granted(GRANT)) == GRANT
    assert all(item.label < 0 for item in ITEMS)
