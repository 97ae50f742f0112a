from typing import Any

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import mac0, recipient
from thingstead.secret import Secret

# RFC 8392 A.2.2 and A.4.
RFC_KEY = Secret(bytes.fromhex("403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d79569388"))
RFC_MAC = bytes.fromhex(
    "d18443a10104a1044c53796d6d65747269633235365850a70175636f61703a2f2f61732e6578616d706c652e636f6d0265"
    "6572696b77037818636f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0061a5610d9"
    "f007420b7148093101ef6d789200"
)
KEY = Secret(bytes(range(32)))
HMAC = frozenset({AlgorithmId.HMAC_256_256})


def made(**changed):
    return mac0.protect(b"content", KEY, **{"mac_id": AlgorithmId.HMAC_256_256, "kid": b"k", **changed})


@pytest.mark.spec("RFC 8392 A.4")
def test_the_token_of_the_rfc_verifies():
    proved = mac0.authenticate(RFC_MAC, RFC_KEY, accept=frozenset({AlgorithmId.HMAC_256_64}))
    assert codec.decode(proved.payload)[2] == "erikw"
    assert proved.headers.kid == b"Symmetric256"


@pytest.mark.spec("RFC 9052 6.3")
def test_what_was_made_verifies_under_its_key_and_aad_only():
    data = made(external_aad=b"this")
    proved = mac0.authenticate(data, KEY, accept=HMAC, external_aad=b"this")
    assert (proved.payload, proved.mac_id, proved.encoded) == (b"content", AlgorithmId.HMAC_256_256, data)
    with pytest.raises(AuthenticationError):
        mac0.authenticate(data, KEY, accept=HMAC, external_aad=b"that")
    with pytest.raises(AuthenticationError):
        mac0.authenticate(data, Secret(bytes(32)), accept=HMAC, external_aad=b"this")


@pytest.mark.spec("RFC 9053 3.1")
def test_a_short_mac_and_a_long_one_are_two_algorithms():
    with pytest.raises(UnsupportedError):
        mac0.authenticate(made(mac_id=AlgorithmId.HMAC_256_64), KEY, accept=HMAC)


@pytest.mark.spec("RFC 9053 3.1")
def test_a_message_cannot_bend_the_key_to_an_algorithm_of_another_length():
    accept = frozenset({AlgorithmId.HMAC_256_256, AlgorithmId.HMAC_512_512})
    data = codec.encode(codec.Tag(17, [codec.encode({1: 7}), {}, b"content", bytes(64)]))
    with pytest.raises(UnsupportedError, match="32 bytes"):
        mac0.authenticate(data, KEY, accept=accept)
    with pytest.raises(UnsupportedError):
        mac0.protect(b"content", KEY, mac_id=AlgorithmId.HMAC_512_512)


def test_every_flipped_bit_is_refused():
    data = made(kid=b"")
    for position in range(len(data)):
        broken = bytearray(data)
        broken[position] ^= 1
        with pytest.raises((AuthenticationError, DecodeError, UnsupportedError)):
            mac0.authenticate(bytes(broken), KEY, accept=HMAC)


@pytest.mark.spec("RFC 9052 6.1")
def test_a_mac_for_direct_recipients_is_no_mac0():
    message = mac0.decode(made())
    elements: list[Any] = [message.headers.encoded, {}, message.payload, message.tag, [recipient.direct(b"k")]]
    several = mac0.decode_mac(codec.encode(codec.Tag(97, elements)))
    with pytest.raises(AuthenticationError):
        mac0.authenticate(several, KEY, accept=HMAC)
    with pytest.raises(DecodeError):
        mac0.decode(codec.encode(codec.Tag(97, elements)))
    with pytest.raises(DecodeError):
        mac0.decode_mac(made())


@pytest.mark.spec("RFC 9052 6.2")
@pytest.mark.parametrize(
    "elements",
    [
        [b"", {}, b""],
        [b"", {}, "", b""],
        [b"", {}, b"", None],
        [b"", {}, b"", ""],
        ["", {}, b"", b""],
        [b"", 1, b"", b""],
    ],
)
def test_what_is_no_mac0_is_refused(elements):
    with pytest.raises(DecodeError):
        mac0.decode(codec.encode(elements))


@pytest.mark.spec("RFC 9052 2")
def test_a_detached_payload_stands_in_exactly_one_place():
    message = mac0.decode(made())
    data = codec.encode([message.headers.encoded, {}, None, message.tag])
    assert mac0.authenticate(data, KEY, accept=HMAC, payload=b"content").payload == b"content"
    with pytest.raises(DecodeError):
        mac0.authenticate(data, KEY, accept=HMAC)
    with pytest.raises(DecodeError):
        mac0.authenticate(made(), KEY, accept=HMAC, payload=b"content")


def test_the_verified_type_cannot_be_made_by_hand():
    with pytest.raises(TypeError, match="made by"):
        mac0.AuthenticatedMac(mac0.decode(made()).headers, b"", 5, b"", object())
