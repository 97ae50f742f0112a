"""What a thing keeps of its join is read back whole, or not at all."""

import pytest

from thingstead.agent.association import DomainAssociation, decode, encode
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

KEPT = DomainAssociation(
    master_secret=Secret(bytes(range(16))),
    master_salt=bytes(8),
    sender_id=b"\x01",
    recipient_id=b"\x02",
    aead_id=10,
    digest_id=-16,
    domain_credential=b"domain",
    access_token=b"access",
    granted_token=b"granted",
    thing_credential=b"thing",
    issuer_credential=b"issuer",
)
FIELDS = codec.decode(encode(KEPT))


@pytest.mark.parametrize("place", range(len(FIELDS)))
@pytest.mark.parametrize("other", ["text", None, 1.5, []])
def test_a_field_of_another_type_is_refused(place, other):
    with pytest.raises(DecodeError):
        decode(codec.encode([*FIELDS[:place], other, *FIELDS[place + 1 :]]))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "a list of 0"),
        (FIELDS[:-1], "a list of 11"),
        ([*FIELDS, b""], "a list of 13"),
        ([2, *FIELDS[1:]], "a list of 12"),
        ({}, "dict"),
        (b"", "bytes"),
    ],
)
def test_another_format_is_refused_by_its_shape_and_shows_no_secret(value, says):
    with pytest.raises(DecodeError, match=f"expected an association of format 1, got {says}") as refused:
        decode(codec.encode(value))
    assert bytes(range(16)).hex() not in str(refused.value)


@pytest.mark.parametrize("end", range(0, len(encode(KEPT)), 7))
def test_a_cut_one_is_refused(end):
    with pytest.raises(DecodeError):
        decode(encode(KEPT)[:end])


def test_what_is_kept_is_read_back():
    assert decode(encode(KEPT)) == KEPT
