import pytest

from thingstead.crypto import digest
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import AuthenticationError, UnsupportedError
from thingstead.secret import Secret

KEY = Secret(bytes(range(32)))


@pytest.mark.spec("RFC 9054 3")
@pytest.mark.parametrize(
    ("number", "start"),
    [
        (AlgorithmId.SHA_256, "ba7816bf8f01cfea"),
        (AlgorithmId.SHA_384, "cb00753f45a35e8b"),
        (AlgorithmId.SHA_512, "ddaf35a193617aba"),
        (AlgorithmId.SHAKE256, "483366601360a877"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_hash_of_abc_whole_and_in_parts(number, start):
    whole = digest.digest(b"abc", number)
    assert whole.hex().startswith(start)
    running = digest.hasher(number)
    running.update(b"a")
    running.update(b"bc")
    assert running.digest() == whole


@pytest.mark.parametrize("number", [AlgorithmId.ES256, AlgorithmId.HKDF_SHA_256, 0, -14])
def test_what_is_no_hash_is_refused(number):
    with pytest.raises(UnsupportedError):
        digest.hasher(number)


@pytest.mark.spec("RFC 5869 A.1")
def test_the_first_case_of_hkdf():
    secret = Secret(b"\x0b" * 22)
    salt, info = bytes(range(13)), bytes(range(0xF0, 0xFA))
    expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    assert digest.hkdf(secret, salt=salt, info=info, size=42).hex() == expected
    extracted = digest.hkdf_extract(secret, salt=salt)
    assert extracted.reveal().hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    assert digest.hkdf_expand(extracted, info=info, size=42).hex() == expected


@pytest.mark.spec("RFC 5869 2.2")
def test_no_salt_is_a_salt_of_zeros():
    assert digest.hkdf_extract(KEY, salt=b"") == digest.hkdf_extract(KEY, salt=bytes(32))
    assert digest.hkdf(KEY, salt=b"", info=b"", size=8) == digest.hkdf(KEY, salt=bytes(32), info=b"", size=8)


@pytest.mark.parametrize("number", [AlgorithmId.SHAKE256, AlgorithmId.HKDF_SHA_256, 0])
def test_hkdf_with_what_it_is_not_used_with_is_refused(number):
    with pytest.raises(UnsupportedError):
        digest.hkdf(KEY, salt=b"", info=b"", size=8, digest_id=number)
    with pytest.raises(UnsupportedError):
        digest.hkdf_extract(KEY, salt=b"", digest_id=number)
    with pytest.raises(UnsupportedError):
        digest.hkdf_expand(KEY, info=b"", size=8, digest_id=number)


@pytest.mark.spec("RFC 9053 3.1")
@pytest.mark.parametrize(
    ("number", "key_size", "size"),
    [
        (AlgorithmId.HMAC_256_64, 32, 8),
        (AlgorithmId.HMAC_256_256, 32, 32),
        (AlgorithmId.HMAC_384_384, 48, 48),
        (AlgorithmId.HMAC_512_512, 64, 64),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_mac_has_its_own_length_and_verifies_whole_only(number, key_size, size):
    key = Secret(bytes(key_size))
    tag = digest.hmac_tag(key, b"data", number)
    assert len(tag) == size
    digest.verify_hmac(key, b"data", tag, number)
    for wrong in (b"", tag[:-1], tag + b"\x00", bytes(size)):
        with pytest.raises(AuthenticationError):
            digest.verify_hmac(key, b"data", wrong, number)
    with pytest.raises(AuthenticationError):
        digest.verify_hmac(key, b"other", tag, number)
    with pytest.raises(ValueError, match="takes a key"):
        digest.hmac_tag(Secret(bytes(key_size - 1)), b"data", number)


def test_what_is_no_mac_is_refused():
    with pytest.raises(UnsupportedError):
        digest.hmac_tag(KEY, b"", AlgorithmId.SHA_256)
