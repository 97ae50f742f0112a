"""OSCORE_Input_Material as RFC 9203 prints it, and no keys from anything that it does not describe."""

import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.ace import input_material
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

MS = bytes.fromhex("f9af838368e353e78888e1426bd94e6f")
N1, N2 = bytes.fromhex("018a278f7faab55a"), bytes.fromhex("25a8991cd700ac01")
MATERIAL = InputMaterial(b"\x01", Secret(MS))
FULL = InputMaterial(b"id", Secret(bytes(64)), b"salt", 1, -44, b"context")
SAID = MATERIAL.as_map()


@pytest.mark.spec("RFC 9203 3.2")
def test_the_material_of_the_rfc_on_the_wire():
    # RFC 9203 Figure 6, from osc on.
    assert codec.encode({4: SAID}).hex() == "a104a20041010250" + MS.hex()


@pytest.mark.spec("RFC 9203 4.3")
def test_the_master_salt_of_the_rfc():
    # RFC 9203 Figure 12: salt, N1 and N2, each as a CBOR byte string.
    salted = InputMaterial(b"\x01", Secret(MS), MS)
    assert salted.master_salt(N1, N2).hex() == f"50{MS.hex()}48{N1.hex()}48{N2.hex()}"


@pytest.mark.spec("RFC 9203 4.3")
def test_without_a_salt_the_default_of_oscore_stands_for_it():
    assert MATERIAL.master_salt(N1, N2).hex() == f"4048{N1.hex()}48{N2.hex()}"


@pytest.mark.parametrize("material", [MATERIAL, FULL, InputMaterial(b"i", Secret(bytes(16)), id_context=b"")])
def test_it_comes_back_as_it_was(material):
    assert input_material.decode_map(material.as_map()) == material


@pytest.mark.spec("RFC 9203 4.3")
def test_both_ends_derive_the_same_keys_crosswise():
    client = FULL.context(nonce_1=N1, nonce_2=N2, sender_id=b"\x00\x00", recipient_id=b"\x16\x45")
    server = FULL.context(nonce_1=N1, nonce_2=N2, sender_id=b"\x16\x45", recipient_id=b"\x00\x00")
    nonce, aad = client.sender.nonce(0), client.sender.aad(b"\x00")
    sealed = client.sender.aead.encrypt(nonce, b"on", aad)
    assert server.recipient.aead.decrypt(server.recipient.nonce(0), sealed, server.recipient.aad(b"\x00")) == b"on"
    assert server.id_context == b"context"


@pytest.mark.spec("RFC 9203 4")
def test_other_nonces_are_other_keys():
    one = MATERIAL.context(nonce_1=N1, nonce_2=N2, sender_id=b"\x00", recipient_id=b"\x01")
    other = MATERIAL.context(nonce_1=N1, nonce_2=N1, sender_id=b"\x00", recipient_id=b"\x01")
    sealed = one.sender.aead.encrypt(one.sender.nonce(0), b"on", b"")
    assert other.sender.aead.encrypt(other.sender.nonce(0), b"on", b"") != sealed


def test_identifiers_that_are_equal_make_no_context():
    with pytest.raises(ValueError, match="different"):
        MATERIAL.context(nonce_1=N1, nonce_2=N2, sender_id=b"\x01", recipient_id=b"\x01")


def test_the_secret_is_not_shown():
    assert MS.hex() not in repr(MATERIAL)
    assert repr(MS) not in repr(MATERIAL)


def test_an_identifier_leaves_room_in_the_nonce():
    assert MATERIAL.max_identifier == 7


@pytest.mark.spec("RFC 9203 3.2.1")
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (None, DecodeError),
        (b"", DecodeError),
        ({}, DecodeError),
        ({0: b"\x01"}, DecodeError),
        ({2: MS}, DecodeError),
        (SAID | {0: ""}, DecodeError),
        (SAID | {0: b""}, DecodeError),
        (SAID | {0: bytes(33)}, DecodeError),
        (SAID | {2: bytes(15)}, DecodeError),
        (SAID | {2: bytes(65)}, DecodeError),
        (SAID | {2: MS.hex()}, DecodeError),
        (SAID | {5: "salt"}, DecodeError),
        (SAID | {5: bytes(65)}, DecodeError),
        (SAID | {6: None}, DecodeError),
        (SAID | {6: bytes(17)}, DecodeError),
        (SAID | {1: 2}, UnsupportedError),
        (SAID | {1: True}, UnsupportedError),
        (SAID | {3: -16}, UnsupportedError),
        (SAID | {3: "HMAC 256/256"}, UnsupportedError),
        (SAID | {4: 5}, UnsupportedError),
        (SAID | {4: 999}, UnsupportedError),
        (SAID | {4: "AES-CCM-16-64-128"}, UnsupportedError),
        (SAID | {7: b""}, UnsupportedError),
        (SAID | {"ms": MS}, UnsupportedError),
        ({0: b"\x01", 2.0: MS}, UnsupportedError),
    ],
)
def test_what_does_not_describe_keys_that_we_can_make_is_refused(value, error):
    with pytest.raises(error):
        input_material.decode_map(value)
