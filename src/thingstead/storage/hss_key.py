"""A release key of hashes alone, and the count of what it has signed.

A leaf that signs twice gives its key away. So the count is on disk before a signature exists: beside the key, and in a
second place, which belongs on another medium, so that no backup or snapshot that is put back goes unnoticed. A key that
is behind its second place signs nothing any more, nor does one on another machine (RFC 8554 §9.2, NIST SP 800-208).
A clone of a machine with both places is another matter: nothing here can tell it from the first.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.crypto.hss_signing import IDENTIFIER_SIZE, SEED_SIZE, HssTree
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import ConfigError, DecodeError, StateError, StorageError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret
from thingstead.storage.directory import locked, private_directory, write_whole

__all__ = ["HssKey", "this_machine"]

_MACHINE_ID = Path("/etc/machine-id")
_FORMAT = 1
_KEY, _LOCK = "hss-lms", "lock"
_MAX_FILE = 512
_MAX_HEIGHT = 15


@dataclass(frozen=True, slots=True)
class _State:
    """The file of the key."""

    seed: Secret
    identifier: bytes
    height: int
    public: PublicKey
    machine: bytes
    used: int

    def encode(self) -> bytes:
        return codec.encode(
            [_FORMAT, self.seed.reveal(), self.identifier, self.height, self.public.x, self.machine, self.used]
        )


class HssKey:
    """A handle on the key, as `PrivateKey` describes them; it reads the disk for each signature.

    Args:
        directory: where the key is, 0700.
        second_place: where its count is too.
        machine: what tells this machine from others, for example the content of /etc/machine-id.

    Raises:
        ConfigError: no key is there, or others may read it.
        StorageError: it cannot be read, or is damaged.
    """

    def __init__(self, directory: Path, second_place: Path, *, machine: bytes) -> None:
        self._directory = private_directory(directory)
        self._second_place = second_place
        self._machine = digest(machine, AlgorithmId.SHA_256)
        self._tree: HssTree | None = None
        self._public = self._read().public

    @classmethod
    def create(
        cls, directory: Path, second_place: Path, *, machine: bytes, seed: Secret, identifier: bytes, height: int = 10
    ) -> HssKey:
        """Make a key; it takes as long as growing its tree does.

        Args:
            directory: where the key will be, made 0700.
            second_place: where its count will be too; it has to be there, and elsewhere.
            machine: as above.
            seed: 32 random bytes.
            identifier: 16 random bytes.
            height: 5, 10 or 15: 32, 1,024 or 32,768 signatures.

        Raises:
            ConfigError: a key is there already, or the second place is the first or is not there.
            StorageError: the disk does not keep it.
        """
        private_directory(directory)
        if not second_place.is_dir() or second_place.resolve() == directory.resolve():
            raise ConfigError(f"expected a second place that is there and is not {directory}, got {second_place}")
        if (directory / _KEY).exists():
            raise ConfigError(f"a key is in {directory} already")
        tree = HssTree(seed, identifier, height=height)
        state = _State(seed, identifier, height, tree.public, digest(machine, AlgorithmId.SHA_256), 0)
        # The second place first: a key without it would sign nothing, and nobody would know why.
        _write_count(_counter(second_place, tree.public), 0)
        write_whole(directory / _KEY, state.encode())
        key = cls(directory, second_place, machine=machine)
        key._tree = tree
        return key

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._public

    @property
    def left(self) -> int:
        """How many signatures it can still make.

        Raises:
            StorageError: the key cannot be read.
        """
        state = self._read()
        return (1 << state.height) - state.used

    def sign(self, data: bytes, signature_id: int) -> bytes:
        """Sign `data` with a leaf that is counted off first; whatever goes wrong afterwards, it is gone.

        Raises:
            UnsupportedError: another algorithm than HSS-LMS.
            StateError: no leaf is left, the key is behind its second place ("rolled back"), or on another machine
                ("another machine").
            StorageError: one of the two places cannot be read or written.
        """
        if signature_id != AlgorithmId.HSS_LMS:
            raise UnsupportedError(f"expected HSS-LMS for a key of hashes, got {signature_id}", spec="RFC 8778 §6.1")
        with self._alone():
            state = self._read()
            self._require_current(state)
            leaf = state.used
            write_whole(self._directory / _KEY, replace(state, used=leaf + 1).encode())
            _write_count(_counter(self._second_place, state.public), leaf + 1)
        if self._tree is None:
            self._tree = HssTree(state.seed, state.identifier, height=state.height)
        return self._tree.sign(leaf, data)

    def agree(self, peer: PublicKey) -> NoReturn:
        """Keys of hashes agree with nobody.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(f"a key of hashes does not agree with one of {peer.type.name}")

    def _require_current(self, state: _State) -> None:
        if state.machine != self._machine:
            raise StateError(
                f"the key in {self._directory} belongs to another machine, which may go on signing",
                spec="RFC 8554 §9.2",
                reason="another machine",
            )
        counted = _read_count(_counter(self._second_place, state.public))
        if counted > state.used:
            raise StateError(
                f"the key in {self._directory} has signed {state.used} times, and {self._second_place} says {counted}: "
                "it was put back to what it was before",
                spec="RFC 8554 §9.2",
                reason="rolled back",
            )
        if state.used >= 1 << state.height:
            raise StateError(
                f"the key in {self._directory} has no signature left", spec="RFC 8554 §5.2", reason="used up"
            )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        lock = locked(self._directory / _LOCK, f"another program signs with the key in {self._directory}")
        try:
            yield
        finally:
            os.close(lock)

    def _read(self) -> _State:
        path = self._directory / _KEY
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise ConfigError(f"no key of hashes is in {self._directory}") from None
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror}") from error
        try:
            match codec.decode(data, limits=codec.Limits(max_bytes=_MAX_FILE)):
                case [
                    1,
                    bytes(seed),
                    bytes(identifier),
                    int(height),
                    bytes(public),
                    bytes(machine),
                    int(used),
                ] if (
                    len(seed) == SEED_SIZE
                    and len(identifier) == IDENTIFIER_SIZE
                    and 0 <= used <= 1 << height <= 1 << 15
                ):
                    key = PublicKey(KeyType.HSS_LMS, public)
                    return _State(Secret(seed), identifier, height, key, machine, used)
        except DecodeError:
            pass
        raise StorageError(f"{path} is damaged, or of another format")


def this_machine() -> bytes:
    """What tells this machine from others: the number that it got when it was installed, or else its name.

    Raises:
        StorageError: the number cannot be read.
    """
    try:
        return _MACHINE_ID.read_bytes()
    except FileNotFoundError:
        return os.uname().nodename.encode()
    except OSError as error:
        raise StorageError(f"cannot read {_MACHINE_ID}: {error.strerror}") from error


def _counter(second_place: Path, public: PublicKey) -> Path:
    return second_place / f"hss-lms-{digest(public.x, AlgorithmId.SHA_256)[:8].hex()}"


def _write_count(path: Path, used: int) -> None:
    write_whole(path, codec.encode([_FORMAT, used]))


def _read_count(path: Path) -> int:
    """How often the key has signed, says the second place; without it nobody knows."""
    try:
        match codec.decode(path.read_bytes(), limits=codec.Limits(max_bytes=_MAX_FILE)):
            case [1, int(used)] if used >= 0:
                return used
    except OSError as error:
        raise StorageError(
            f"the second place {path} cannot be read: {error.strerror}", reason="second place"
        ) from error
    except DecodeError:
        pass
    raise StorageError(f"{path} is damaged, or of another format", reason="second place")
