"""Invariant: every key store keeps the key it made under its name until it is told to forget it, and nothing else."""

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, verify
from thingstead.crypto.keystore import FileKeyStore, MemoryKeyStore
from thingstead.errors import DecodeError, StorageError
from thingstead.identifier import KeyId
from thingstead.secret import Secret
from thingstead.transport.key_socket import RemoteKeyStore

NAME = KeyId("domain.signing-1")


@pytest.fixture(params=["memory", "file", "sealed file", "beside keepers"])
def store(request, tmp_path):
    if request.param == "memory":
        return MemoryKeyStore()
    if request.param == "beside keepers":
        return RemoteKeyStore({}, MemoryKeyStore())
    passphrase = Secret(b"correct horse") if request.param == "sealed file" else None
    return FileKeyStore(tmp_path / "keys", passphrase)


@pytest.mark.parametrize(
    "key_type", [one for one in KeyType if one is not KeyType.HSS_LMS], ids=lambda value: value.name
)
def test_a_created_key_is_found_again_under_its_name(store, key_type):
    made = store.create(NAME, key_type)
    assert made.public.type is key_type
    assert store.handle(NAME).public == made.public
    assert store.ids() == {NAME}


def test_a_handle_signs_with_the_key_that_was_made(store):
    public = store.create(NAME, KeyType.P256).public
    signature = store.handle(NAME).sign(b"data", AlgorithmId.ESP256)
    verify(public, signature=signature, data=b"data", signature_id=AlgorithmId.ESP256)


def test_a_name_is_never_given_twice(store):
    made = store.create(NAME, KeyType.P256)
    with pytest.raises(StorageError) as caught:
        store.create(NAME, KeyType.ED25519)
    assert caught.value.reason == "key-exists"
    assert store.handle(NAME).public == made.public


def test_a_key_that_is_not_there_is_refused(store):
    with pytest.raises(StorageError) as caught:
        store.handle(NAME)
    assert caught.value.reason == "key-absent"


def test_a_deleted_key_is_gone_and_deleting_again_is_no_error(store):
    store.create(NAME, KeyType.P256)
    store.delete(NAME)
    store.delete(NAME)
    assert store.ids() == frozenset()
    with pytest.raises(StorageError):
        store.handle(NAME)


def test_a_deleted_name_is_free_for_another_key(store):
    first = store.create(NAME, KeyType.P256)
    store.delete(NAME)
    assert store.create(NAME, KeyType.P256).public != first.public


def test_each_name_has_its_own_key(store):
    one, two = store.create(KeyId("a"), KeyType.P256), store.create(KeyId("b"), KeyType.P256)
    assert one.public != two.public
    assert store.ids() == {"a", "b"}


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "a" * 65, "a\0b", "é"])
def test_a_name_that_could_leave_the_store_is_refused(store, name):
    with pytest.raises(DecodeError):
        store.create(KeyId(name), KeyType.P256)


@pytest.mark.requirement("R-31")
def test_no_store_or_handle_shows_a_key(store):
    made = store.create(NAME, KeyType.P256)
    secret = made.private_bytes().reveal()
    for shown in (repr(store), str(store), repr(made), repr(made.private_bytes())):
        assert secret.hex() not in shown
        assert repr(secret) not in shown
