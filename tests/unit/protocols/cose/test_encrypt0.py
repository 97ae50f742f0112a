import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import encrypt0, recipient
from thingstead.secret import Secret

# RFC 8392 A.2.1 and A.5.
RFC_KEY = Secret(bytes.fromhex("231f4c4d4d3051fdc2ec0a3851d5b383"))
RFC_ENCRYPTED = bytes.fromhex(
    "d08343a1010aa2044c53796d6d6574726963313238054d99a0d7846e762c49ffe8a63e0b5858b918a11fd81e438b7f973d"
    "9e2e119bcb22424ba0f38a80f27562f400ee1d0d6c0fdb559c02421fd384fc2ebe22d7071378b0ea7428fff157444d45f7"
    "e6afcda1aae5f6495830c58627087fc5b4974f319a8707a635dd643b"
)
KEY = Secret(bytes(range(16)))
CCM = frozenset({AlgorithmId.AES_CCM_16_64_128})
NONCE = bytes(13)


def made(**changed):
    arguments = {"aead_id": AlgorithmId.AES_CCM_16_64_128, "nonce": NONCE, "kid": b"k", **changed}
    return encrypt0.protect(b"content", KEY, **arguments)


def opened(data, **changed):
    return encrypt0.unprotect(data, KEY, **{"accept": CCM, **changed})


@pytest.mark.spec("RFC 8392 A.5")
def test_the_token_of_the_rfc_opens():
    assert codec.decode(encrypt0.unprotect(RFC_ENCRYPTED, RFC_KEY, accept=CCM))[2] == "erikw"


@pytest.mark.spec("RFC 9052 5.3")
def test_what_was_made_opens_under_its_key_and_aad_only():
    data = made(external_aad=b"this")
    assert opened(data, external_aad=b"this") == b"content"
    with pytest.raises(AuthenticationError):
        opened(data, external_aad=b"that")
    with pytest.raises(AuthenticationError):
        encrypt0.unprotect(data, Secret(bytes(16)), accept=CCM, external_aad=b"this")


def test_every_flipped_bit_is_refused():
    data = made(kid=b"")
    for position in range(len(data)):
        broken = bytearray(data)
        broken[position] ^= 1
        with pytest.raises((AuthenticationError, DecodeError, UnsupportedError)):
            opened(bytes(broken))


@pytest.mark.spec("RFC 9053 4")
def test_a_message_cannot_bend_the_key_to_an_algorithm_of_another_length():
    data = codec.encode([codec.encode({1: 3}), {5: bytes(12)}, bytes(16)])
    with pytest.raises(UnsupportedError, match="16 bytes"):
        opened(data, accept=frozenset({AlgorithmId.A128GCM, AlgorithmId.A256GCM}))
    with pytest.raises(UnsupportedError):
        made(aead_id=AlgorithmId.A256GCM)


@pytest.mark.spec("RFC 9053 4.1")
@pytest.mark.parametrize("iv", [b"", bytes(11), bytes(13), bytes(64)])
def test_a_nonce_of_another_size_is_refused_though_gcm_would_take_it(iv):
    data = codec.encode([codec.encode({1: 1}), {5: iv}, bytes(16)])
    with pytest.raises(DecodeError, match="nonce of 12 bytes"):
        opened(data, accept=frozenset({AlgorithmId.A128GCM}))


@pytest.mark.spec("RFC 9052 3.1")
def test_a_partial_iv_is_combined_with_the_agreed_one():
    context_iv = bytes(11) + b"\x01\x01"
    message = encrypt0.decode(made(nonce=bytes(11) + b"\x01\x06"))
    data = codec.encode([message.headers.encoded, {6: b"\x07"}, message.ciphertext])
    assert opened(data, context_iv=context_iv) == b"content"
    with pytest.raises(AuthenticationError):
        opened(data, context_iv=bytes(13))
    for wrong in ({}, {"context_iv": bytes(12)}):
        with pytest.raises(DecodeError, match="Partial IV"):
            opened(data, **wrong)


@pytest.mark.spec("RFC 9052 3.1")
@pytest.mark.parametrize("unprotected", [{}, {6: b""}, {6: bytes(14)}])
def test_a_message_without_a_nonce_is_refused(unprotected):
    data = codec.encode([codec.encode({1: 10}), unprotected, bytes(16)])
    with pytest.raises(DecodeError):
        opened(data, context_iv=bytes(13))


@pytest.mark.spec("RFC 9052 5.1")
def test_an_encrypt_for_direct_recipients_is_no_encrypt0():
    message = encrypt0.decode(made())
    elements = [
        message.headers.encoded,
        dict(message.headers.unprotected),
        message.ciphertext,
        [recipient.direct(b"k")],
    ]
    with pytest.raises(AuthenticationError):
        opened(encrypt0.decode_encrypt(codec.encode(codec.Tag(96, elements))))
    with pytest.raises(DecodeError):
        encrypt0.decode_encrypt(made())


@pytest.mark.spec("RFC 9052 5.2")
@pytest.mark.parametrize("elements", [[b"", {}], [b"", {}, ""], [b"", {}, 1], ["", {}, b""], [b"", [], b""]])
def test_what_is_no_encrypt0_is_refused(elements):
    with pytest.raises(DecodeError):
        encrypt0.decode(codec.encode(elements))


@pytest.mark.spec("RFC 9052 2")
def test_a_detached_ciphertext_stands_in_exactly_one_place():
    message = encrypt0.decode(made())
    data = codec.encode([message.headers.encoded, dict(message.headers.unprotected), None])
    assert opened(data, ciphertext=message.ciphertext) == b"content"
    with pytest.raises(DecodeError):
        opened(data)
    with pytest.raises(DecodeError):
        opened(made(), ciphertext=message.ciphertext)


def test_a_nonce_of_the_wrong_length_is_our_mistake():
    with pytest.raises(ValueError, match="13 bytes"):
        made(nonce=bytes(12))
