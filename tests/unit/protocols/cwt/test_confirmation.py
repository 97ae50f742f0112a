import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import confirmation

KEY = generate(KeyType.P256)
MAP = cose_key.public_map(KEY.public)


@pytest.mark.spec("RFC 8747 3.2")
def test_a_key_is_confirmed_by_value():
    proof = confirmation.decode(confirmation.for_public(KEY.public, kid=b"k"))
    assert (proof.require_public(), proof.kid) == (KEY.public, b"k")


@pytest.mark.spec("RFC 8747 3.4")
def test_a_key_is_confirmed_by_its_identifier():
    proof = confirmation.decode(confirmation.for_kid(b"k"))
    assert (proof.key, proof.kid) == (None, b"k")
    with pytest.raises(DecodeError, match="COSE_Key"):
        proof.require_public()


def test_a_key_is_confirmed_by_a_credential_with_it():
    claims = {2: "light", 8: {1: MAP}}
    proof = confirmation.decode(confirmation.for_credential(claims))
    assert proof.require_public() == KEY.public
    assert codec.decode(proof.credential) == claims


@pytest.mark.spec("RFC 9203 3.2.1")
def test_what_is_shared_is_carried_unread_and_not_shown():
    proof = confirmation.decode(confirmation.for_shared({0: b"id", 2: b"secret"}))
    assert proof.shared == {0: b"id", 2: b"secret"}
    assert "secret" not in repr(proof)
    with pytest.raises(DecodeError, match="COSE_Key"):
        proof.require_public()


@pytest.mark.spec("RFC 8747 3.1")
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({}, DecodeError),
        ([MAP], DecodeError),
        ({1: MAP, 3: b"k"}, DecodeError),
        ({3: "k"}, DecodeError),
        ({3: b""}, DecodeError),
        ({1: b""}, DecodeError),
        ({2: b""}, UnsupportedError),
        ({4: b""}, DecodeError),
        ({5: {}}, UnsupportedError),
        ({11: b""}, DecodeError),
        ({11: {8: {3: b"k"}}}, DecodeError),
        ({11: {8: {1: MAP, 3: b"k"}}}, DecodeError),
        ({11: {8: {1: b""}}}, DecodeError),
        ({11: {8: {11: {8: {1: MAP}}}}}, DecodeError),
        ({True: MAP}, UnsupportedError),
        ({3.0: b"k"}, UnsupportedError),
        ({"kid": b"k"}, UnsupportedError),
        ({1: {1: 4, -1: b"0123456789abcdef"}}, DecodeError),
        ({1: {**MAP, -4: KEY.private_bytes().reveal()}}, DecodeError),
    ],
)
def test_a_confirmation_outside_the_grammar_is_refused(value, error):
    with pytest.raises(error):
        confirmation.decode(value)
