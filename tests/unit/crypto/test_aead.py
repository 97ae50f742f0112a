from typing import Any

import pytest

from thingstead.crypto.aead import aead, apply_stream, decrypt_pieces
from thingstead.crypto.algorithm import REGISTRY, AlgorithmId, Kind
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.secret import Secret

AEADS = [row for row in REGISTRY.values() if row.kind is Kind.AEAD]


def made(row):
    return aead(row.id, Secret(bytes(row.key_size)))


@pytest.mark.spec("RFC 8439 2.8.2")
def test_the_example_of_chacha20_poly1305():
    key = Secret(bytes(range(0x80, 0xA0)))
    cipher = aead(AlgorithmId.CHACHA20_POLY1305, key)
    plaintext = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you "
        b"only one tip for the future, sunscreen would be it."
    )
    nonce, aad = bytes.fromhex("070000004041424344454647"), bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    sealed = cipher.encrypt(nonce, plaintext, aad)
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"
    assert cipher.decrypt(nonce, sealed, aad) == plaintext


@pytest.mark.parametrize("row", AEADS, ids=lambda row: row.name)
def test_what_was_encrypted_opens_with_its_nonce_and_aad_only(row):
    cipher = made(row)
    nonce = bytes(row.nonce_size)
    sealed = cipher.encrypt(nonce, b"plain", b"aad")
    assert len(sealed) == 5 + row.output_size == 5 + cipher.tag_size
    assert cipher.decrypt(nonce, sealed, b"aad") == b"plain"
    assert cipher.decrypt(nonce, cipher.encrypt(nonce, b"", b""), b"") == b""
    for wrong in (
        (b"\x01" * row.nonce_size, sealed, b"aad"),
        (nonce, sealed, b"dad"),
        (nonce, sealed[:-1] + bytes([sealed[-1] ^ 1]), b"aad"),
        (nonce, sealed[:-1], b"aad"),
    ):
        with pytest.raises(AuthenticationError):
            cipher.decrypt(*wrong)


@pytest.mark.spec("RFC 9053 4")
@pytest.mark.parametrize("row", AEADS, ids=lambda row: row.name)
def test_a_nonce_or_key_of_another_size_is_refused(row):
    cipher = made(row)
    for size in (0, row.nonce_size - 1, row.nonce_size + 1, 64):
        with pytest.raises(DecodeError):
            cipher.decrypt(bytes(size), bytes(32), b"")
        with pytest.raises(ValueError, match="nonce"):
            cipher.encrypt(bytes(size), b"", b"")
    with pytest.raises(ValueError, match="key"):
        aead(row.id, Secret(bytes(row.key_size + 1)))


@pytest.mark.parametrize("row", AEADS, ids=lambda row: row.name)
def test_a_ciphertext_shorter_than_its_tag_is_refused(row):
    for size in (0, row.output_size - 1):
        with pytest.raises(DecodeError):
            made(row).decrypt(bytes(row.nonce_size), bytes(size), b"")


@pytest.mark.spec("RFC 9053 4.2")
def test_ccm_refuses_what_it_cannot_count():
    cipher = aead(AlgorithmId.AES_CCM_16_64_128, Secret(bytes(16)))
    assert len(cipher.encrypt(bytes(13), bytes(65535), b"")) == 65543
    with pytest.raises(ValueError, match="at most 65535"):
        cipher.encrypt(bytes(13), bytes(65536), b"")
    with pytest.raises(DecodeError):
        cipher.decrypt(bytes(13), bytes(65544), b"")


@pytest.mark.parametrize("number", [AlgorithmId.A128CTR, AlgorithmId.HMAC_256_256, AlgorithmId.ES256, 999])
def test_what_is_no_aead_is_refused(number):
    with pytest.raises(UnsupportedError):
        aead(number, Secret(bytes(16)))


@pytest.mark.spec("RFC 3686 6")
def test_the_key_stream_of_ctr_counts_from_zero_behind_the_nonce():
    # Test Vector #1 of RFC 3686 begins at block 1, which is the second block here.
    key = Secret(bytes.fromhex("ae6852f8121067cc4bf7a5765577f39e"))
    nonce = bytes.fromhex("00000030") + bytes(8)
    stream = apply_stream(AlgorithmId.A128CTR, key, nonce, bytes(16) + b"Single block msg")
    assert stream[16:].hex() == "e4095d4fb7a7b3792d6175a3261311b8"
    assert apply_stream(AlgorithmId.A128CTR, key, nonce, stream)[16:] == b"Single block msg"


@pytest.mark.spec("RFC 9459 4")
def test_the_first_counter_block_is_the_whole_iv():
    # F.5.5 of NIST SP 800-38A: CTR-AES256.Encrypt, its first two blocks.
    key = Secret(bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"))
    iv = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    plaintext = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
    assert apply_stream(AlgorithmId.A256CTR, key, iv, plaintext).hex() == (
        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
    )


def test_a_stream_takes_its_own_key_nonce_and_number_only():
    key = Secret(bytes(16))
    for wrong in ((key, bytes(13)), (Secret(bytes(32)), bytes(12))):
        with pytest.raises(ValueError, match="a nonce of 12 or 16 bytes"):
            apply_stream(AlgorithmId.A128CTR, *wrong, b"")
    with pytest.raises(UnsupportedError):
        apply_stream(AlgorithmId.A128GCM, key, bytes(12), b"")


PIECES = [b"a" * 16, b"", b"bcd", bytes(5000)]
GCM = [AlgorithmId.A128GCM, AlgorithmId.A192GCM, AlgorithmId.A256GCM]


@pytest.mark.parametrize("algorithm_id", GCM)
@pytest.mark.parametrize("size", [0, 1, 16, 100, 5000])
def test_what_is_decrypted_in_pieces_is_what_is_decrypted_at_once(algorithm_id, size):
    row = REGISTRY[algorithm_id]
    key, nonce = Secret(bytes(row.key_size)), bytes(row.nonce_size)
    sealed = aead(algorithm_id, key).encrypt(nonce, bytes(size), b"aad")
    pieces = [sealed[:size][at : at + 7] for at in range(0, size, 7)]
    opened = decrypt_pieces(algorithm_id, key, nonce, pieces, aad=b"aad", tag=sealed[size:])
    assert b"".join(opened) == bytes(size)


@pytest.mark.parametrize("algorithm_id", [AlgorithmId.A128CTR, AlgorithmId.A256CTR])
def test_counter_mode_in_pieces_is_counter_mode(algorithm_id):
    key, nonce = Secret(bytes(REGISTRY[algorithm_id].key_size)), bytes(range(16))
    sealed = apply_stream(algorithm_id, key, nonce, b"".join(PIECES))
    assert b"".join(decrypt_pieces(algorithm_id, key, nonce, [sealed[:5], sealed[5:]])) == b"".join(PIECES)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"tag": bytes(16)}, AuthenticationError),
        ({"aad": b"other"}, AuthenticationError),
        ({"pieces": [b"x"]}, AuthenticationError),
        ({"tag": bytes(12)}, DecodeError),
        ({"tag": b""}, DecodeError),
        ({"nonce": bytes(11)}, DecodeError),
        ({"algorithm_id": AlgorithmId.A128CTR}, DecodeError),
        ({"algorithm_id": AlgorithmId.A256GCM}, ValueError),
        ({"algorithm_id": AlgorithmId.AES_CCM_16_64_128}, ValueError),
        ({"algorithm_id": AlgorithmId.ESP256}, UnsupportedError),
    ],
)
def test_what_does_not_fit_is_refused_in_pieces_too(changes, error):
    sealed = aead(AlgorithmId.A128GCM, Secret(bytes(16))).encrypt(bytes(12), b"text", b"")
    arguments: dict[str, Any] = {"algorithm_id": AlgorithmId.A128GCM, "key": Secret(bytes(16)), "nonce": bytes(12)}
    arguments |= {"pieces": [sealed[:4]], "tag": sealed[4:]} | changes
    with pytest.raises(error):
        list(decrypt_pieces(**arguments))
