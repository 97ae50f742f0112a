"""From one Master Secret: keys that differ wherever an input differs, and nonces that never meet."""

from itertools import product

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import UnsupportedError
from thingstead.protocols.oscore.derivation import KeyDerivation, nonce_base
from thingstead.protocols.oscore.option import MAX_PARTIAL_IV
from thingstead.secret import Secret

CCM, GCM = AlgorithmId.AES_CCM_16_64_128, AlgorithmId.A128GCM
IV = bytes(range(13))


def derivation(secret=b"s" * 16, salt=b"salt", id_context=None, digest_id=AlgorithmId.SHA_256):
    return KeyDerivation(Secret(secret), master_salt=salt, id_context=id_context, digest_id=digest_id)


def key(*, label="Key", id_=b"\x01", algorithm_id=CCM, size=16, **inputs):
    return derivation(**inputs).derive(label, id_=id_, algorithm_id=algorithm_id, size=size)


@pytest.mark.spec("RFC 8613 3.2.1")
@pytest.mark.parametrize(
    "change",
    [
        {"secret": b"t" * 16},
        {"salt": b"Salt"},
        {"salt": b""},
        {"id_context": b""},
        {"id_context": b"\x01"},
        {"digest_id": AlgorithmId.SHA_512},
        {"label": "IV"},
        {"id_": b""},
        {"id_": b"\x01\x00"},
        {"algorithm_id": GCM},
    ],
    ids=str,
)
def test_every_input_makes_another_key(change):
    assert key(**change) != key()


@pytest.mark.spec("RFC 8613 3.2.1")
def test_the_length_is_an_input_too_so_that_no_key_is_the_beginning_of_another():
    assert not key(size=32).startswith(key(size=16))


@pytest.mark.spec("RFC 8613 3.2.1")
def test_both_parties_derive_the_same():
    assert key() == key()
    assert [len(key(size=size)) for size in (7, 12, 13, 16, 32)] == [7, 12, 13, 16, 32]


@pytest.mark.spec("RFC 8613 3.2")
@pytest.mark.parametrize("digest_id", [AlgorithmId.A128GCM, AlgorithmId.ES256, 0, -99999])
def test_what_is_no_hash_of_a_key_derivation_is_refused(digest_id):
    with pytest.raises(UnsupportedError):
        derivation(digest_id=digest_id)


@pytest.mark.spec("RFC 8613 5.2")
def test_no_two_numbers_and_no_two_names_share_a_nonce():
    names = [b"", b"\x00", b"\x01", b"\x00\x00", b"\x00\x01", b"\x01\x00", bytes(7), b"\xff" * 7]
    numbers = [0, 1, 255, 256, 1 << 16, 1 << 32, MAX_PARTIAL_IV]
    nonces = {nonce_base(IV, name) ^ number for name, number in product(names, numbers)}
    assert len(nonces) == len(names) * len(numbers)


@pytest.mark.spec("RFC 8613 5.2")
@pytest.mark.parametrize("size", [12, 13])
def test_a_nonce_is_as_long_as_the_common_iv_and_number_zero_is_its_base(size):
    common_iv = bytes(range(size))
    base = nonce_base(common_iv, b"\x02")
    expected = bytes((1, *bytes(size - 7), 2, *bytes(5)))
    assert base.to_bytes(size, "big") == bytes(one ^ other for one, other in zip(common_iv, expected, strict=True))
