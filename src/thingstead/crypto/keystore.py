"""Where private keys live: behind names, in files or in memory. Who holds a store holds its keys."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from thingstead.crypto.key import KeyType, PrivateKey, SoftwareKey, generate, private_key
from thingstead.errors import ConfigError, DecodeError, StorageError
from thingstead.identifier import KeyId, key_id
from thingstead.secret import Secret

__all__ = ["FileKeyStore", "KeyStore", "MemoryKeyStore"]


class KeyStore(Protocol):
    """Keys by name; the contract suite runs over every implementation."""

    def create(self, name: KeyId, key_type: KeyType) -> PrivateKey:
        """Make a fresh key and keep it; it is durable when this returns.

        Raises:
            StorageError: the name is taken, or the key cannot be kept.
        """
        ...

    def handle(self, name: KeyId) -> PrivateKey:
        """The key of this name.

        Raises:
            StorageError: there is none, or it cannot be read safely.
        """
        ...

    def delete(self, name: KeyId) -> None:
        """Forget the key; deleting what is not there is no error, so that a withdrawal can be repeated.

        Handles given out before stay usable in memory: who withdraws a key ends what uses it.
        """
        ...

    def ids(self) -> frozenset[KeyId]:
        """The names of all keys."""
        ...


class MemoryKeyStore:
    """Keys that die with the process."""

    def __init__(self) -> None:
        self._keys: dict[KeyId, SoftwareKey] = {}

    def create(self, name: KeyId, key_type: KeyType) -> SoftwareKey:
        """Make a fresh key and keep it.

        Raises:
            StorageError: the name is taken.
        """
        if key_id(name) in self._keys:
            raise _taken(name)
        return self._keys.setdefault(name, generate(key_type))

    def handle(self, name: KeyId) -> SoftwareKey:
        """The key of this name.

        Raises:
            StorageError: there is none.
        """
        if name not in self._keys:
            raise _absent(name)
        return self._keys[name]

    def delete(self, name: KeyId) -> None:
        """Forget the key, if there is one."""
        self._keys.pop(name, None)

    def ids(self) -> frozenset[KeyId]:
        """The names of all keys."""
        return frozenset(self._keys)


_MAGIC = b"TSK1"
_PLAIN, _SEALED = b"\x00", b"\x01"
_HEAD_SIZE = len(_MAGIC) + 2
_SALT_SIZE, _NONCE_SIZE, _TAG_SIZE = 16, 12, 16
_MAX_SIZE = 256
_OTHERS = 0o077
# 2**15 blocks of 1 kB, one pass: 32 MB and about a tenth of a second for each guess (RFC 7914 §2).
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 1 << 15, 8, 1


class FileKeyStore:
    """One file for each key, 0600 in a directory of 0700, written whole or not at all.

    A file is ``TSK1``, one byte of key type, one byte that says plain or sealed, then the scalar or seed;
    sealed: 16 bytes of salt, 12 of nonce, and AES-256-GCM under scrypt of the passphrase. The head and
    the file's own name are authenticated, so that no sealed key can stand in for another.
    """

    def __init__(self, directory: Path, passphrase: Secret | None = None) -> None:
        """Open or make the directory.

        Raises:
            StorageError: it cannot be made, or others than its owner can enter it.
        """
        self._directory = directory
        self._passphrase = passphrase
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = directory.stat()
        except OSError as error:
            raise StorageError(f"cannot open the key directory {directory}: {error.strerror}") from error
        _check_private(status, directory)

    def create(self, name: KeyId, key_type: KeyType) -> SoftwareKey:
        """Make a fresh key; it is on disk, with its directory entry, when this returns.

        Raises:
            StorageError: the name is taken, or the disk does not keep it.
        """
        target = self._path(name)
        key = generate(key_type)
        self._write(target, self._seal(name, key))
        return key

    def handle(self, name: KeyId) -> SoftwareKey:
        """Read the key of this name; a sealed one costs a tenth of a second, so ask once and keep the handle.

        Raises:
            StorageError: there is none, others can read it, or it is damaged or sealed otherwise.
            ConfigError: it is sealed and the store has no passphrase, or the reverse.
        """
        return self._unseal(name, self._read(self._path(name), name))

    def delete(self, name: KeyId) -> None:
        """Remove the key's file, if there is one; the directory is on disk without it when this returns.

        Raises:
            StorageError: the file cannot be removed.
        """
        target = self._path(name)
        try:
            target.unlink(missing_ok=True)
            self._sync_directory()
        except OSError as error:
            raise StorageError(f"cannot delete the key {name}: {error.strerror}") from error

    def ids(self) -> frozenset[KeyId]:
        """The names of all keys; half-written files begin with a dot and are none."""
        try:
            names = [path.name for path in self._directory.iterdir()]
        except OSError as error:
            raise StorageError(f"cannot list the key directory: {error.strerror}") from error
        return frozenset(KeyId(name) for name in names if not name.startswith("."))

    def _path(self, name: KeyId) -> Path:
        return self._directory / key_id(name)

    def _write(self, target: Path, data: bytes) -> None:
        temporary = target.with_name(f".{target.name}.new")
        try:
            temporary.unlink(missing_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            # A link, unlike a rename, never replaces a key that is there.
            os.link(temporary, target)
            temporary.unlink()
            self._sync_directory()
        except FileExistsError:
            temporary.unlink(missing_ok=True)
            raise _taken(target.name) from None
        except OSError as error:
            raise StorageError(f"cannot keep the key {target.name}: {error.strerror}") from error

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _read(self, path: Path, name: KeyId) -> bytes:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            raise _absent(name) from None
        except OSError as error:
            raise StorageError(f"cannot read the key {name}: {error.strerror}") from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise StorageError(f"expected a file for the key {name}")
            _check_private(status, path)
            return os.read(descriptor, _MAX_SIZE + 1)
        finally:
            os.close(descriptor)

    def _seal(self, name: KeyId, key: SoftwareKey) -> bytes:
        kind = _MAGIC + bytes([key.public.type])
        secret = key.private_bytes().reveal()
        if self._passphrase is None:
            return kind + _PLAIN + secret
        head = kind + _SEALED
        salt, nonce = secrets.token_bytes(_SALT_SIZE), secrets.token_bytes(_NONCE_SIZE)
        sealed = AESGCM(_stretch(self._passphrase, salt)).encrypt(nonce, secret, head + name.encode())
        return head + salt + nonce + sealed

    def _unseal(self, name: KeyId, data: bytes) -> SoftwareKey:
        head, body = data[:_HEAD_SIZE], data[_HEAD_SIZE:]
        if len(data) > _MAX_SIZE or len(head) < _HEAD_SIZE or not head.startswith(_MAGIC):
            raise StorageError(f"expected a key file of ours for {name}")
        sealed = head[-1:] == _SEALED
        if sealed != (self._passphrase is not None):
            state = "sealed and the store has no passphrase" if sealed else "not sealed and the store has a passphrase"
            raise ConfigError(f"the key {name} is {state}")
        try:
            key_type = KeyType(head[-2])
            secret = self._open(body, head + name.encode()) if sealed else body
            return private_key(key_type, Secret(secret))
        except InvalidTag:
            raise StorageError(f"the key {name} does not open: another passphrase, or a changed file") from None
        except (ValueError, DecodeError):
            raise StorageError(f"the key {name} is damaged") from None

    def _open(self, body: bytes, bound: bytes) -> bytes:
        salt, nonce, sealed = body[:_SALT_SIZE], body[_SALT_SIZE:][:_NONCE_SIZE], body[_SALT_SIZE + _NONCE_SIZE :]
        if self._passphrase is None or len(sealed) < _TAG_SIZE:
            raise ValueError("too short for a sealed key")
        return AESGCM(_stretch(self._passphrase, salt)).decrypt(nonce, sealed, bound)


def _stretch(passphrase: Secret, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P).derive(passphrase.reveal())


def _check_private(status: os.stat_result, path: Path) -> None:
    if status.st_mode & _OTHERS or status.st_uid != os.geteuid():
        mode = stat.S_IMODE(status.st_mode)
        raise StorageError(f"expected {path} to be its owner's alone, it has mode {mode:04o} of user {status.st_uid}")


def _taken(name: str) -> StorageError:
    return StorageError(f"the key {name} exists already", reason="key-exists")


def _absent(name: str) -> StorageError:
    return StorageError(f"there is no key {name}", reason="key-absent")
