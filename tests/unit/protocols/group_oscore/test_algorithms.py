import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import UnsupportedError
from thingstead.protocols.group_oscore.algorithms import GroupAlgorithms, group_cipher
from thingstead.secret import Secret

NO_GROUP_MODE = {"group_encryption_id": None, "signature_id": None}
NO_PAIRWISE_MODE = {"aead_id": None, "agreement_id": None}


@pytest.mark.spec("RFC 10021 2.1")
@pytest.mark.parametrize(
    "changed",
    [
        {"aead_id": -7},
        {"aead_id": AlgorithmId.A128CTR},
        {"group_encryption_id": 5},
        {"group_encryption_id": 99},
        {"signature_id": 10},
        {"agreement_id": -10},
        {"agreement_id": AlgorithmId.ECDH_SS_HKDF_512},
        {"digest_id": AlgorithmId.SHA_512},
        {"digest_id": AlgorithmId.HMAC_256_256, "agreement_id": None},
        {"digest_id": 999, "agreement_id": None},
        {"aead_id": None, "signature_id": None},
        {"agreement_id": None, "group_encryption_id": None},
    ],
    ids=str,
)
def test_algorithms_that_make_no_group_are_refused(changed):
    with pytest.raises(UnsupportedError):
        GroupAlgorithms(**changed)


@pytest.mark.spec("RFC 10021 2.1.7")
def test_what_is_no_group_encryption_algorithm_makes_no_cipher():
    with pytest.raises(UnsupportedError):
        group_cipher(AlgorithmId.HMAC_256_256, Secret(bytes(16)))


@pytest.mark.spec("RFC 10021 5.4")
@pytest.mark.parametrize("changed", [{"group_encryption_id": None}, {"signature_id": None}, NO_GROUP_MODE], ids=str)
def test_half_of_what_the_group_mode_needs_is_no_group_mode(changed):
    algorithms = GroupAlgorithms(**changed)
    assert (algorithms.has_group_mode, algorithms.has_pairwise_mode) == (False, True)
    with pytest.raises(UnsupportedError, match="no group mode"):
        algorithms.require_group_mode()


@pytest.mark.spec("RFC 10021 5.4")
@pytest.mark.parametrize("changed", [{"aead_id": None}, {"agreement_id": None}, NO_PAIRWISE_MODE], ids=str)
def test_half_of_what_the_pairwise_mode_needs_is_no_pairwise_mode(changed):
    algorithms = GroupAlgorithms(**changed)
    assert (algorithms.has_group_mode, algorithms.has_pairwise_mode) == (True, False)
    with pytest.raises(UnsupportedError, match="no pairwise mode"):
        algorithms.require_pairwise_mode()


def test_the_defaults_are_those_of_the_constrained_group():
    assert GroupAlgorithms() == GroupAlgorithms(10, 10, -9, -27, -16)
    assert GroupAlgorithms().has_group_mode
    assert GroupAlgorithms().has_pairwise_mode


@pytest.mark.spec("RFC 10021 2.3")
@pytest.mark.parametrize(
    ("changed", "derived_for", "sizes"),
    [
        ({"group_encryption_id": AlgorithmId.A128CTR}, AlgorithmId.A128CTR, [12, 13]),
        (NO_GROUP_MODE, AlgorithmId.AES_CCM_16_64_128, [13]),
        (NO_PAIRWISE_MODE | {"group_encryption_id": AlgorithmId.A128GCM}, AlgorithmId.A128GCM, [12]),
    ],
    ids=str,
)
def test_keys_are_derived_for_the_group_mode_where_there_is_one(changed, derived_for, sizes):
    algorithms = GroupAlgorithms(**changed)
    assert (algorithms.derivation_id, algorithms.nonce_sizes) == (derived_for, sizes)


@pytest.mark.spec("RFC 10021 2.1.7")
def test_a_stream_cipher_gives_no_tag_and_takes_whatever_comes():
    cipher = group_cipher(AlgorithmId.A128CTR, Secret(bytes(16)))
    ciphertext = cipher.encrypt(bytes(12), b"on", b"aad")
    assert len(ciphertext) == 2
    assert cipher.decrypt(bytes(12), ciphertext, b"another aad") == b"on"
    assert cipher.decrypt(bytes(12), bytes([ciphertext[0] ^ 1, ciphertext[1]]), b"aad") == b"nn"


@pytest.mark.parametrize("number", [AlgorithmId.A128CTR, AlgorithmId.AES_CCM_16_64_128])
def test_a_key_of_another_length_makes_no_cipher_text(number):
    with pytest.raises(ValueError, match="key"):
        group_cipher(number, Secret(bytes(15))).encrypt(bytes(12), b"on", b"")
