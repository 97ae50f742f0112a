"""A key that stays on its token signs like one in a file."""

from pathlib import Path

import pytest

from thingstead.crypto import token_uri
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate, private_key, verify
from thingstead.crypto.token import TokenKey
from thingstead.errors import AuthenticationError, ConfigError, StorageError, UnsupportedError
from thingstead.secret import Secret

PIN = Secret(b"1234")


def opened(uri, pin=PIN):
    return TokenKey(token_uri.parse(uri), pin)


@pytest.mark.parametrize(
    ("label", "key_type", "number"),
    [
        ("release", KeyType.P256, AlgorithmId.ESP256),
        ("wide", KeyType.P384, AlgorithmId.ESP384),
        ("edwards", KeyType.ED25519, AlgorithmId.ED25519),
    ],
)
def test_what_a_token_signs_verifies_like_any_signature(token, label, key_type, number):
    key = opened(token(label))
    assert key.public.type is key_type
    verify(key.public, signature=key.sign(b"manifest", number), data=b"manifest", signature_id=number)


def test_its_public_half_is_the_one_of_the_key(token):
    key = opened(token("release"))
    assert key.public == private_key(KeyType.P256, Secret(bytes(31) + b"\x01")).public
    assert "1234" not in repr(key)


@pytest.mark.parametrize("number", [AlgorithmId.ML_DSA_44, AlgorithmId.ESP384, AlgorithmId.ED25519, AlgorithmId.ES256])
def test_another_algorithm_is_not_one_of_its_key(token, number):
    with pytest.raises(UnsupportedError):
        opened(token("release")).sign(b"manifest", number)


def test_it_agrees_with_nobody(token):
    with pytest.raises(UnsupportedError, match="does not agree"):
        opened(token("release")).agree(generate(KeyType.P256).public)


@pytest.mark.parametrize("pin", [b"", b"0000", b"\xff", b"1" * 300])
def test_a_wrong_pin_opens_nothing(token, pin):
    with pytest.raises(ConfigError, match="PIN"):
        opened(token("release"), Secret(pin))


@pytest.mark.parametrize(
    ("label", "error", "says"),
    [
        ("rsa", UnsupportedError, "expected a key on an elliptic curve"),
        ("koblitz", UnsupportedError, "expected a key on P-256, P-384, P-521 or Ed25519"),
        ("twice", ConfigError, "expected one key under this URI, the token has 2"),
    ],
)
def test_a_key_that_signs_no_release_or_is_not_one_key_is_refused(token, label, error, says):
    with pytest.raises(error, match=says):
        opened(token(label))


def test_what_a_token_made_wrongly_is_not_taken_for_a_signature(token):
    key = opened(token("release"))
    key._public = generate(KeyType.P256).public
    with pytest.raises(AuthenticationError):
        key.sign(b"manifest", AlgorithmId.ESP256)


def test_a_token_is_found_by_its_serial_number_and_never_by_half_of_what_is_said(token):
    by_token = token("release")
    with pytest.raises(StorageError, match="no token is maker"):
        opened(by_token.replace("token=maker", "token=maker;serial=0000"))


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (("object=release", "object=absent"), StorageError, "no key on the token is 'absent'"),
        (("token=maker", "token=absent"), StorageError, "no token is absent"),
        (("object=release", "id=%77"), StorageError, "no key on the token"),
        (("libsofthsm2.so", "absent.so"), ConfigError, "cannot use the module"),
    ],
)
def test_what_is_not_there_is_named(token, change, error, says):
    with pytest.raises(error, match=says):
        opened(token("release").replace(*change))


def test_a_file_that_is_no_module_is_refused(token, tmp_path):
    path = Path(tmp_path / "module.so")
    path.write_text("no library")
    uri = token("release").split("module-path=")[0] + f"module-path={path}"
    with pytest.raises(ConfigError, match="cannot use the module"):
        opened(uri)


def test_a_key_is_found_by_its_id_too(token):
    assert opened(token("release").replace("object=release", "id=%02")).public.type is KeyType.P384
