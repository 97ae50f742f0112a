from dataclasses import replace

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose import sign1
from thingstead.protocols.profile import signed_request
from thingstead.protocols.profile.signed_request import SignedRequest

pytestmark = pytest.mark.requirement("R-06")

BEN, OTHER = generate(KeyType.P256), generate(KeyType.P256)
CHALLENGE = bytes(range(16))
ARGUMENTS = {"thing": "thing-abcdefghijklmnop", "undo": False}
REQUEST = signed_request.sign("thing.admit", ARGUMENTS, BEN, domain="home", challenge=CHALLENGE)
CONTEXT = b"thingstead signed request 1"


def signed(payload, context=CONTEXT, key=BEN, signature_id=AlgorithmId.ESP256):
    return sign1.sign(payload, key, signature_id=signature_id, external_aad=context)


@pytest.mark.parametrize(
    "payload",
    [
        [2, "home", CHALLENGE, "a", {}],
        [1, "home", CHALLENGE[:15], "a", {}],
        [1, "home", CHALLENGE, "a", []],
        [1, "home", CHALLENGE, "a", {1: 2}],
        [1, "home", CHALLENGE, 7, {}],
        [1, "home", CHALLENGE, "a"],
        {},
    ],
)
def test_what_is_no_request_is_refused_even_when_it_is_signed(payload):
    with pytest.raises(DecodeError):
        signed_request.authenticate(signed(codec.encode(payload)), BEN.public, domain="home")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (signed_request.sign("a", {}, OTHER, domain="home", challenge=CHALLENGE), AuthenticationError),
        (signed(codec.encode([1, "home", CHALLENGE, "a", {}]), b"thingstead wipe receipt 1"), AuthenticationError),
        (signed(codec.encode([1, "home", CHALLENGE, "a", {}]), b""), AuthenticationError),
        (signed(b"", key=generate(KeyType.ED25519), signature_id=AlgorithmId.ED25519), UnsupportedError),
        (signed_request.sign("a", {}, BEN, domain="away", challenge=CHALLENGE), UntrustedError),
        (b"", DecodeError),
        (REQUEST[:-1], DecodeError),
        (b"\xd2\x84" + bytes(1 << 16), DecodeError),
    ],
)
def test_what_this_key_did_not_sign_as_a_request_to_this_domain_is_none(data, error):
    with pytest.raises(error):
        signed_request.authenticate(data, BEN.public, domain="home")


@pytest.mark.parametrize("place", range(0, len(REQUEST), 9))
def test_a_changed_byte_is_no_request(place):
    data = bytearray(REQUEST)
    data[place] ^= 1
    with pytest.raises((DecodeError, UnsupportedError, AuthenticationError)):
        signed_request.authenticate(bytes(data), BEN.public, domain="home")


def test_a_request_comes_out_as_it_was_signed():
    request = signed_request.authenticate(REQUEST, BEN.public, domain="home")
    assert (request.operation, request.arguments, request.challenge) == ("thing.admit", ARGUMENTS, CHALLENGE)
    assert (request.signer, request.encoded) == (BEN.public, REQUEST)
    assert signed_request.decode_signer(REQUEST) == cose_key.thumbprint(BEN.public)


def test_nobody_else_makes_one():
    request = signed_request.authenticate(REQUEST, BEN.public, domain="home")
    with pytest.raises((TypeError, ValueError)):
        replace(request, operation="thing.retire", seal=None)
    with pytest.raises(TypeError):
        SignedRequest(BEN.public, CHALLENGE, "a", {}, b"", seal=object())
