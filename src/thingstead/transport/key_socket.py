"""Keys in other processes: a key store whose handles ask over Unix sockets (ADR 0025)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path

from thingstead.crypto.key import KeyType, PrivateKey, PublicKey
from thingstead.crypto.keystore import KeyStore
from thingstead.errors import DecodeError, ForbiddenError, StorageError
from thingstead.identifier import KeyId
from thingstead.secret import Secret
from thingstead.transport.frame import Connection

__all__ = ["Ask", "RemoteKey", "RemoteKeyStore", "RemoteWitness"]


class Ask(IntEnum):
    """What a keeper is asked; its answer is ``[0, result]`` or ``[1, why not]``."""

    PUBLIC = 1
    SIGN = 2
    AGREE = 3
    SIZE = 4
    EXTEND = 5


class RemoteKey:
    """A handle on a key that another process holds; each call waits for it (ADR 0008)."""

    def __init__(self, keeper: Connection) -> None:
        self._keeper = keeper
        match keeper.ask(int(Ask.PUBLIC)):
            case [int(key_type), bytes(x), bytes(y)]:
                self._public = PublicKey(KeyType(key_type), x, y)
            case _:
                raise DecodeError("expected a public key from the keeper")

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, data: bytes, signature_id: int) -> bytes:
        """Have it sign; ForbiddenError where that is not what the key is for."""
        return bytes(self._keeper.ask(int(Ask.SIGN), data, int(signature_id)))

    def agree(self, peer: PublicKey) -> Secret:
        """Have it agree; ForbiddenError where that is not what the key is for."""
        return Secret(bytes(self._keeper.ask(int(Ask.AGREE), int(peer.type), peer.x, peer.y)))


class RemoteKeyStore:
    """Some keys with keepers, the others in a store of one's own; fits the `KeyStore` port.

    Args:
        sockets: where each keeper is asked, by the name of its key.
        own: where all others are.
        shown: public halves of those that nobody can be asked to use, but for a plane's own demands.
    """

    def __init__(
        self, sockets: Mapping[str, Path], own: KeyStore, *, shown: Mapping[str, PublicKey] | None = None
    ) -> None:
        self._shown = {KeyId(name): _ShownKey(name, public) for name, public in (shown or {}).items()}
        self._keepers = {KeyId(name): Connection(path) for name, path in sockets.items()}
        self._own = own

    def create(self, name: KeyId, key_type: KeyType) -> PrivateKey:
        """Make a key of one's own.

        Raises:
            StorageError: the name is taken.
        """
        if name in self._keepers or name in self._shown:
            raise StorageError(f"the key {name} exists already, with its keeper", reason="key-exists")
        return self._own.create(name, key_type)

    def handle(self, name: KeyId) -> PrivateKey:
        """The key of this name, wherever it is."""
        if name in self._shown:
            return self._shown[name]
        keeper = self._keepers.get(name)
        return self._own.handle(name) if keeper is None else RemoteKey(keeper)

    def delete(self, name: KeyId) -> None:
        """Forget a key of one's own.

        Raises:
            StorageError: it is with its keeper.
        """
        if name in self._keepers or name in self._shown:
            raise StorageError(f"the key {name} is with its keeper, who forgets none")
        self._own.delete(name)

    def close(self) -> None:
        """Hang up on all keepers."""
        for keeper in self._keepers.values():
            keeper.close()

    def ids(self) -> frozenset[KeyId]:
        """The names of all."""
        return self._own.ids() | frozenset(self._keepers) | frozenset(self._shown)


class _ShownKey:
    """The public half of a key that its plane uses by itself."""

    def __init__(self, name: str, public: PublicKey) -> None:
        self._name = name
        self.public = public

    def sign(self, data: bytes, signature_id: int) -> bytes:
        """Nobody is asked."""
        raise ForbiddenError(f"the {self._name} plane signs what it issues, and no {len(data)} bytes by {signature_id}")

    def agree(self, peer: PublicKey) -> Secret:
        """Nobody is asked."""
        raise ForbiddenError(f"the {self._name} plane agrees on nothing, with {peer.type.name} neither")


class RemoteWitness:
    """Shows the ledger's keeper that a tree holds the one before it; fits the `Witness` port."""

    def __init__(self, path: Path) -> None:
        self._keeper = Connection(path)

    def size(self) -> int:
        """Entries under the newest head that it signed."""
        return int(self._keeper.ask(int(Ask.SIZE)))

    def extend(self, size: int, root: bytes, path: Sequence[bytes]) -> None:
        """Show it; ForbiddenError where it is not convinced."""
        self._keeper.ask(int(Ask.EXTEND), size, root, list(path))

    def close(self) -> None:
        """Hang up."""
        self._keeper.close()
