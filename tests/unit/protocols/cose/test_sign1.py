import dataclasses

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey, generate
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label

ESP256 = frozenset({AlgorithmId.ESP256})
KEY = generate(KeyType.P256)

# RFC 8392 A.3: key of A.2.3 and the signed CWT.
CWT_KEY = PublicKey(
    KeyType.P256,
    bytes.fromhex("143329cce7868e416927599cf65a34f3ce2ffda55a7eca69ed8919a394d42f0f"),
    bytes.fromhex("60f7f1a780d8a783bfb7a2dd6b2796e8128dbbcef9d3d168db9529971a36e7b9"),
)
CWT = bytes.fromhex(
    "d28443a10126a05850a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572696b77037818636f61703a2f2f"
    "6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b7158405427c1ff28d23fbad1"
    "f29c4c7c6a555e601d6fa29f9179bc3d7438bacaca5acd08c8d4d4f96131680c429a01f85951ecee743a52b9b63632c57209"
    "120e1c9e30"
)


def message(protected=b"\xa1\x01\x28", unprotected=None, payload=b"x", signature=bytes(64)):
    return codec.encode(codec.Tag(18, [protected, unprotected or {}, payload, signature]))


@pytest.mark.spec("RFC 8392 A.3")
def test_the_signed_token_of_the_rfc_verifies():
    proved = sign1.authenticate(CWT, CWT_KEY, accept=frozenset({AlgorithmId.ES256}))
    assert codec.decode(proved.payload)[1] == "coap://as.example.com"
    assert proved.encoded == CWT


@pytest.mark.spec("RFC 9864 2")
def test_es256_and_esp256_are_two_algorithms_of_a_policy():
    with pytest.raises(UnsupportedError, match="expected an algorithm of -9, got -7"):
        sign1.authenticate(CWT, CWT_KEY, accept=ESP256)


@pytest.mark.spec("RFC 9052 4.4")
@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize(
    ("key_type", "signature_id"),
    [
        (KeyType.P256, AlgorithmId.ESP256),
        (KeyType.P384, AlgorithmId.ESP384),
        (KeyType.ED25519, AlgorithmId.ED25519),
        (KeyType.ML_DSA_44, AlgorithmId.ML_DSA_44),
    ],
    ids=lambda value: value.name,
)
def test_what_was_signed_verifies_under_the_public_half(key_type, signature_id, tagged):
    key = generate(key_type)
    data = sign1.sign(b"content", key, signature_id=signature_id, kid=b"k", external_aad=b"aad", tagged=tagged)
    proved = sign1.authenticate(data, key.public, accept=frozenset({signature_id}), external_aad=b"aad")
    assert (proved.payload, proved.headers.kid, proved.signer) == (b"content", b"k", key.public)


@pytest.mark.spec("RFC 9052 4.4")
def test_every_flipped_bit_of_a_signed_message_is_refused_or_unprotected():
    data = sign1.sign(b"content", KEY, signature_id=AlgorithmId.ESP256)
    for position in range(len(data)):
        broken = bytearray(data)
        broken[position] ^= 1
        with pytest.raises((AuthenticationError, DecodeError, UnsupportedError)):
            sign1.authenticate(bytes(broken), KEY.public, accept=ESP256)


@pytest.mark.spec("RFC 9052 4.4")
def test_another_key_another_aad_and_another_curve_are_refused():
    data = sign1.sign(b"content", KEY, signature_id=AlgorithmId.ESP256, external_aad=b"this")
    with pytest.raises(AuthenticationError):
        sign1.authenticate(data, generate(KeyType.P256).public, accept=ESP256, external_aad=b"this")
    with pytest.raises(AuthenticationError):
        sign1.authenticate(data, KEY.public, accept=ESP256, external_aad=b"that")
    with pytest.raises(UnsupportedError, match="P384"):
        sign1.authenticate(data, generate(KeyType.P384).public, accept=ESP256, external_aad=b"this")


@pytest.mark.spec("RFC 9052 2")
def test_a_detached_payload_stands_in_exactly_one_place():
    data = sign1.sign(b"content", KEY, signature_id=AlgorithmId.ESP256, detached=True)
    assert sign1.authenticate(data, KEY.public, accept=ESP256, payload=b"content").payload == b"content"
    with pytest.raises(AuthenticationError):
        sign1.authenticate(data, KEY.public, accept=ESP256, payload=b"another")
    with pytest.raises(DecodeError, match="got none"):
        sign1.authenticate(data, KEY.public, accept=ESP256)
    attached = sign1.sign(b"content", KEY, signature_id=AlgorithmId.ESP256)
    with pytest.raises(DecodeError, match="a second one"):
        sign1.authenticate(attached, KEY.public, accept=ESP256, payload=b"content")


def test_an_empty_detached_payload_is_a_payload():
    data = sign1.sign(b"", KEY, signature_id=AlgorithmId.ESP256, detached=True)
    assert sign1.authenticate(data, KEY.public, accept=ESP256, payload=b"").payload == b""


@pytest.mark.spec("RFC 9052 3.1")
def test_an_unprotected_alg_is_believed_only_where_one_choice_is_left():
    covered = codec.encode(["Signature1", b"", b"", b"x"])
    data = message(b"", {1: -9}, b"x", KEY.sign(covered, AlgorithmId.ESP256))
    assert sign1.authenticate(data, KEY.public, accept=ESP256).signature_id == AlgorithmId.ESP256
    with pytest.raises(DecodeError, match="expected alg in the protected header"):
        sign1.authenticate(data, KEY.public, accept=ESP256 | {AlgorithmId.ES256})


@pytest.mark.spec("RFC 9052 4.4")
def test_a_protected_map_sent_as_an_empty_map_is_signed_as_the_empty_string():
    covered = codec.encode(["Signature1", b"", b"", b"x"])
    data = message(b"\xa0", {1: -9}, b"x", KEY.sign(covered, AlgorithmId.ESP256))
    assert sign1.authenticate(data, KEY.public, accept=ESP256).headers.encoded == b""


@pytest.mark.spec("RFC 9052 4.4")
def test_the_protected_bytes_are_verified_as_received_not_as_we_would_write_them():
    odd = bytes.fromhex("a1190001" + "28")
    data = message(odd, {}, b"x", KEY.sign(codec.encode(["Signature1", odd, b"", b"x"]), AlgorithmId.ESP256))
    assert sign1.authenticate(data, KEY.public, accept=ESP256).headers.encoded == odd


@pytest.mark.spec("RFC 9052 4.2")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xa0",
        codec.encode([b"", {}, b""]),
        codec.encode([b"", {}, b"", b"", b""]),
        codec.encode(codec.Tag(98, [b"", {}, b"", b""])),
        codec.encode(codec.Tag(18, codec.Tag(18, [b"", {}, b"", b""]))),
        codec.encode([b"", {}, "text", b""]),
        codec.encode([b"", {}, b"", None]),
        codec.encode(["", {}, b"", b""]),
        codec.encode([b"", [], b"", b""]),
        message() + b"\x00",
    ],
    ids=["empty", "map", "three", "five", "sign", "twice", "text", "nil", "protected", "unprotected", "trailing"],
)
def test_what_is_no_sign1_is_refused(data):
    with pytest.raises(DecodeError):
        sign1.decode(data)


def test_a_message_over_its_limit_is_refused():
    with pytest.raises(DecodeError, match="at most 8 bytes"):
        sign1.decode(message(), limits=codec.Limits(max_bytes=8))


def test_the_verified_type_cannot_be_made_by_hand():
    data = sign1.sign(b"content", KEY, signature_id=AlgorithmId.ESP256)
    proved = sign1.authenticate(data, KEY.public, accept=ESP256)
    with pytest.raises(TypeError, match="made by sign1"):
        sign1.AuthenticatedSign1(proved.headers, b"other", -9, KEY.public, data, object())
    with pytest.raises(TypeError, match="made by sign1"):
        dataclasses.replace(proved, payload=b"other", seal=object())


def test_extra_parameters_go_where_they_were_put():
    data = sign1.sign(
        b"x",
        KEY,
        signature_id=AlgorithmId.ESP256,
        protected={Label.CONTENT_TYPE: 61},
        unprotected={Label.X5CHAIN: b"cert"},
    )
    headers = sign1.decode(data).headers
    assert headers.protected == {1: -9, 3: 61}
    assert headers.unprotected == {33: b"cert"}
