"""A double of the ciphers that remembers what was encrypted under which key and nonce."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from thingstead.crypto import aead


class Nonces:
    """What was used, by everybody in this process.

    Attributes:
        used: pairs of key and nonce.
        repeated: pairs that came twice.
    """

    def __init__(self) -> None:
        self.used: set[tuple[bytes, bytes]] = set()
        self.repeated: list[tuple[bytes, bytes]] = []

    def use(self, key: bytes, nonce: bytes) -> None:
        """One encryption."""
        if (key, nonce) in self.used:
            self.repeated.append((key, nonce))
        self.used.add((key, nonce))


class _Watched:
    def __init__(self, cipher: Any, key: bytes, nonces: Nonces) -> None:
        self._cipher = cipher
        self._key = key
        self._nonces = nonces
        self.decrypt = cipher.decrypt

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        self._nonces.use(self._key, nonce)
        encrypted: bytes = self._cipher.encrypt(nonce, data, associated_data)
        return encrypted


@contextmanager
def watched_nonces() -> Iterator[Nonces]:
    """Watch every AEAD key that is bound while the block runs."""
    nonces = Nonces()
    originals = dict(aead._CIPHERS)

    def watched(make: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        return lambda key: _Watched(make(key), key, nonces)

    aead._CIPHERS.update({number: watched(make) for number, make in originals.items()})
    try:
        yield nonces
    finally:
        aead._CIPHERS.update(originals)
