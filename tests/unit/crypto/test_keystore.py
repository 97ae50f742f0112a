import os
import stat

import pytest

from thingstead.crypto.key import KeyType
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ConfigError, StorageError
from thingstead.identifier import KeyId
from thingstead.secret import Secret

NAME = KeyId("thing")
PASSPHRASE = Secret(b"correct horse")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "a" / "keys"


def made(folder, passphrase=None):
    store = FileKeyStore(folder, passphrase)
    return store, store.create(NAME, KeyType.P256)


@pytest.mark.requirement("R-31")
def test_keys_are_readable_by_their_owner_alone(folder):
    old = os.umask(0)
    try:
        made(folder)
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600


@pytest.mark.requirement("R-31")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o601])
def test_a_key_that_others_can_reach_is_refused(folder, mode):
    store, _ = made(folder)
    (folder / NAME).chmod(mode)
    with pytest.raises(StorageError, match=f"mode {mode:04o}"):
        store.handle(NAME)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o701, 0o777])
def test_a_directory_that_others_can_enter_is_refused(tmp_path, mode):
    folder = tmp_path / "keys"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StorageError, match="owner's alone"):
        FileKeyStore(folder)


def test_another_store_on_the_same_directory_finds_the_key(folder):
    _, key = made(folder)
    assert FileKeyStore(folder).handle(NAME).public == key.public


def test_a_link_or_a_pipe_in_place_of_a_key_is_refused(folder):
    store, _ = made(folder)
    (folder / "link").symlink_to(folder / NAME)
    os.mkfifo(folder / "pipe", 0o600)
    (folder / "directory").mkdir(mode=0o700)
    for name in ("link", "pipe", "directory"):
        with pytest.raises(StorageError):
            store.handle(KeyId(name))


def test_a_half_written_file_is_no_key_and_stands_in_nobodys_way(folder):
    store = FileKeyStore(folder)
    (folder / f".{NAME}.new").write_bytes(b"half")
    assert store.ids() == frozenset()
    key = store.create(NAME, KeyType.P256)
    assert store.handle(NAME).public == key.public
    assert [path.name for path in folder.iterdir()] == [NAME]


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "sealed"])
def test_every_cut_and_every_changed_head_of_a_key_file_is_refused(folder, passphrase):
    store, _ = made(folder, passphrase)
    path = folder / NAME
    data = path.read_bytes()
    damaged = [data[:size] for size in (0, 3, 5, 6, 7, 21, len(data) - 1)]
    damaged += [data + b"\x00", data + bytes(300), b"TSK2" + data[4:], data[:4] + b"\xff" + data[5:]]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(StorageError):
            store.handle(NAME)


def test_a_key_file_of_zeros_is_refused(folder):
    store, _ = made(folder)
    path = folder / NAME
    path.write_bytes(path.read_bytes()[:6] + bytes(32))
    with pytest.raises(StorageError, match="damaged"):
        store.handle(NAME)


def test_a_sealed_key_does_not_hold_the_key_in_the_clear(folder):
    _, key = made(folder, PASSPHRASE)
    assert key.private_bytes().reveal() not in (folder / NAME).read_bytes()


def test_another_passphrase_and_a_changed_byte_do_not_open_a_sealed_key(folder):
    store, _ = made(folder, PASSPHRASE)
    with pytest.raises(StorageError, match="another passphrase, or a changed file"):
        FileKeyStore(folder, Secret(b"battery staple")).handle(NAME)
    path = folder / NAME
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(StorageError, match="another passphrase, or a changed file"):
        store.handle(NAME)


def test_a_sealed_key_cannot_stand_in_for_another(folder):
    store, _ = made(folder, PASSPHRASE)
    (folder / NAME).rename(folder / "other")
    with pytest.raises(StorageError, match="changed file"):
        store.handle(KeyId("other"))


def test_a_passphrase_is_neither_forgotten_nor_ignored(folder, tmp_path):
    made(folder, PASSPHRASE)
    with pytest.raises(ConfigError, match="no passphrase"):
        FileKeyStore(folder).handle(NAME)
    made(tmp_path / "plain")
    with pytest.raises(ConfigError, match="not sealed"):
        FileKeyStore(tmp_path / "plain", PASSPHRASE).handle(NAME)


def test_a_name_that_another_store_took_is_not_replaced(folder):
    store = FileKeyStore(folder)
    rival = FileKeyStore(folder).create(NAME, KeyType.P256)
    with pytest.raises(StorageError) as caught:
        store.create(NAME, KeyType.P256)
    assert caught.value.reason == "key-exists"
    assert store.handle(NAME).public == rival.public
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_a_disk_that_does_not_keep_the_key_is_told(folder, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot open"):
        FileKeyStore(tmp_path / "file" / "keys")
    store, _ = made(folder)
    (folder / NAME).unlink()
    folder.rmdir()
    with pytest.raises(StorageError, match="cannot keep"):
        store.create(NAME, KeyType.P256)
    with pytest.raises(StorageError, match="cannot list"):
        store.ids()
    with pytest.raises(StorageError, match="cannot delete"):
        store.delete(NAME)
