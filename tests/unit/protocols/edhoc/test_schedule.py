import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import AuthenticationError, DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.schedule import (
    MESSAGE_3,
    MESSAGE_4,
    Label,
    apply_keystream,
    expand,
    expand_secret,
    following_transcript,
    mix,
    open_sealed,
    seal,
    second_transcript,
    transcript_hash,
)
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.secret import Secret

SUITE = cipher_suite(2)


def item(data):
    return codec.encode(data)


def secret(data):
    return Secret(data)


@pytest.mark.spec("RFC 9529 3.4")
def test_transcript_hashes_of_the_trace():
    assert transcript_hash(SUITE, rfc.MESSAGE_1) == rfc.H_MESSAGE_1
    assert second_transcript(SUITE, rfc.G_Y, rfc.H_MESSAGE_1) == rfc.TH_2
    assert following_transcript(SUITE, rfc.TH_2, rfc.PLAINTEXT_2, rfc.CRED_R) == rfc.TH_3
    assert following_transcript(SUITE, rfc.TH_3, rfc.PLAINTEXT_3, rfc.CRED_I) == rfc.TH_4


@pytest.mark.spec("RFC 9528 4.1")
def test_pseudorandom_keys_of_the_trace():
    g_y = PublicKey.from_x(KeyType.P256, rfc.G_Y)
    g_x = PublicKey.from_x(KeyType.P256, rfc.G_X)
    shared = [rfc.p256(rfc.X).agree(g_y), rfc.p256(rfc.SK_R).agree(g_x), rfc.p256(rfc.SK_I).agree(g_y)]
    assert shared == [secret(rfc.G_XY), secret(rfc.G_RX), secret(rfc.G_IY)]
    prk_2e = mix(SUITE, rfc.TH_2, shared[0])
    salt_3e2m = expand_secret(SUITE, prk_2e, Label.SALT_3E2M, context=rfc.TH_2)
    prk_3e2m = mix(SUITE, salt_3e2m.reveal(), shared[1])
    salt_4e3m = expand_secret(SUITE, prk_3e2m, Label.SALT_4E3M, context=rfc.TH_3)
    prk_4e3m = mix(SUITE, salt_4e3m.reveal(), shared[2])
    prk_out = expand_secret(SUITE, prk_4e3m, Label.PRK_OUT, context=rfc.TH_4)
    prk_exporter = expand_secret(SUITE, prk_out, Label.PRK_EXPORTER, context=b"")
    assert [prk_2e, prk_3e2m, prk_4e3m] == [secret(rfc.PRK_2E), secret(rfc.PRK_3E2M), secret(rfc.PRK_4E3M)]
    assert [salt_3e2m, salt_4e3m] == [secret(rfc.SALT_3E2M), secret(rfc.SALT_4E3M)]
    assert [prk_out, prk_exporter] == [secret(rfc.PRK_OUT), secret(rfc.PRK_EXPORTER)]


def test_message_2_is_encrypted_as_in_the_trace():
    ciphertext = apply_keystream(SUITE, secret(rfc.PRK_2E), Label.KEYSTREAM_2, rfc.PLAINTEXT_2, th=rfc.TH_2)
    assert rfc.MESSAGE_2.endswith(ciphertext)
    assert apply_keystream(SUITE, secret(rfc.PRK_2E), Label.KEYSTREAM_2, ciphertext, th=rfc.TH_2) == rfc.PLAINTEXT_2


def test_message_3_is_sealed_as_in_the_trace():
    sealed = seal(SUITE, secret(rfc.PRK_3E2M), MESSAGE_3, th=rfc.TH_3, plaintext=rfc.PLAINTEXT_3)
    assert item(sealed) == rfc.MESSAGE_3
    assert open_sealed(SUITE, secret(rfc.PRK_3E2M), MESSAGE_3, th=rfc.TH_3, ciphertext=sealed) == rfc.PLAINTEXT_3


@pytest.mark.parametrize("change", ["key", "transcript", "labels", "ciphertext"])
def test_what_is_not_sealed_so_does_not_open(change):
    sealed = bytearray(seal(SUITE, secret(rfc.PRK_3E2M), MESSAGE_3, th=rfc.TH_3, plaintext=rfc.PLAINTEXT_3))
    key = rfc.PRK_2E if change == "key" else rfc.PRK_3E2M
    th = rfc.TH_4 if change == "transcript" else rfc.TH_3
    labels = MESSAGE_4 if change == "labels" else MESSAGE_3
    sealed[0] ^= change == "ciphertext"
    with pytest.raises(AuthenticationError):
        open_sealed(SUITE, secret(key), labels, th=th, ciphertext=bytes(sealed))


def test_less_than_a_tag_is_refused():
    with pytest.raises(DecodeError):
        open_sealed(SUITE, secret(rfc.PRK_3E2M), MESSAGE_3, th=rfc.TH_3, ciphertext=bytes(7))


def test_more_than_the_hash_gives_is_misuse():
    with pytest.raises(ValueError, match="larger than"):
        expand(SUITE, secret(rfc.PRK_OUT), Label.K_3, context=b"", size=255 * 32 + 1)
