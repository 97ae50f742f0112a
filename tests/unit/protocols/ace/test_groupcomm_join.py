"""Join Requests: each byte of the proof counts, and nothing is taken for what it is not."""

import pytest

from tests.unit.protocols.ace.test_groupcomm import keys
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.ace.groupcomm_join import (
    JoinRequest,
    JoinResponse,
    client_proof_input,
    decode_challenge,
    encode_challenge,
    kdc_proof_input,
    scope_entry,
)
from thingstead.protocols.ace.groupcomm_registry import Parameter, Role
from thingstead.protocols.cbor import codec

pytestmark = pytest.mark.spec("RFC 9594 4.3.1")

SCOPE = scope_entry("lamps", Role.RESPONDER)
REQUEST = JoinRequest("lamps", Role.RESPONDER, b"credential", bytes(8), bytes(64), SCOPE)


def changed(encoded, name, value=None):
    fields = codec.decode(encoded)
    if value is None:
        del fields[int(name)]
    else:
        fields[int(name)] = value
    return codec.encode(fields)


def test_the_input_of_the_client_s_proof_is_that_of_the_rfc():
    """The figure of RFC 9594 §4.3.1, with a scope of one entry."""
    scope = bytes.fromhex("826667726f7570316673656e646572")
    challenge, cnonce = bytes.fromhex("018a278f7faab55a"), bytes.fromhex("25a8991cd700ac01")
    expected = "4f826667726f7570316673656e64657248018a278f7faab55a4825a8991cd700ac01"
    assert client_proof_input(scope, kdc_challenge=challenge, cnonce=cnonce).hex() == expected


def test_the_input_of_the_group_manager_s_proof_is_both_nonces():
    assert kdc_proof_input(cnonce=b"\x01\x02", kdc_nonce=b"\x03").hex() == "4201024103"


def test_no_two_inputs_of_the_two_proofs_are_alike():
    assert client_proof_input(b"", kdc_challenge=b"", cnonce=b"") != kdc_proof_input(cnonce=b"", kdc_nonce=b"")


def test_a_scope_entry_is_a_name_and_roles_as_bits():
    assert codec.decode(scope_entry("lamps", Role.REQUESTER | Role.RESPONDER)) == ["lamps", 6]


def test_a_request_is_read_back():
    assert JoinRequest.decode(REQUEST.encode()) == REQUEST


@pytest.mark.parametrize(
    "name", [Parameter.SCOPE, Parameter.CLIENT_CRED, Parameter.CNONCE, Parameter.CLIENT_CRED_VERIFY]
)
def test_a_request_lacks_nothing(name):
    with pytest.raises(DecodeError):
        JoinRequest.decode(changed(REQUEST.encode(), name))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (Parameter.SCOPE, codec.encode(["lamps"])),
        (Parameter.SCOPE, codec.encode([["lamps", 4]])),
        (Parameter.SCOPE, codec.encode(["../x", 4])),
        (Parameter.SCOPE, codec.encode(["lamps", "responder"])),
        (Parameter.SCOPE, b"\xff"),
        (Parameter.SCOPE, "lamps"),
        (Parameter.CNONCE, b"short"),
        (Parameter.CNONCE, bytes(33)),
        (Parameter.CLIENT_CRED, bytes(1025)),
        (Parameter.CLIENT_CRED_VERIFY, 1),
    ],
)
def test_a_request_of_another_shape_is_refused(name, value):
    with pytest.raises(DecodeError):
        JoinRequest.decode(changed(REQUEST.encode(), name, value))


@pytest.mark.parametrize("roles", [0, 1, 8, 16, 6 + 8, -4])
def test_roles_that_no_member_has_here_are_refused(roles):
    with pytest.raises(UnsupportedError):
        JoinRequest.decode(changed(REQUEST.encode(), Parameter.SCOPE, codec.encode(["lamps", roles])))


def test_a_challenge_is_read_back_and_says_how_to_sign():
    encoded = encode_challenge("lamps", b"01234567")
    assert decode_challenge(encoded) == b"01234567"
    assert codec.decode(encoded)[Parameter.SIGN_INFO] == [[["lamps"], -9, [2], [2, 1], 14]]


@pytest.mark.parametrize("value", [None, b"short", bytes(33), "01234567"])
def test_a_challenge_of_another_size_is_refused(value):
    with pytest.raises(DecodeError):
        decode_challenge(changed(encode_challenge("lamps", bytes(8)), Parameter.KDCCHALLENGE, value))


def test_a_response_is_read_back():
    response = JoinResponse(keys(), bytes(8), bytes(64))
    assert JoinResponse.decode(response.encode()) == response


@pytest.mark.parametrize("name", [Parameter.KDC_NONCE, Parameter.KDC_CRED_VERIFY])
def test_a_response_without_proof_is_refused(name):
    with pytest.raises(DecodeError):
        JoinResponse.decode(changed(JoinResponse(keys(), bytes(8), bytes(64)).encode(), name))


def test_keys_that_are_pushed_are_no_response():
    with pytest.raises(DecodeError):
        JoinResponse.decode(keys().encode())
