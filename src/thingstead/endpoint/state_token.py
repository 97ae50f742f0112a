"""State in a token: sealed so that only who made it reads it, in time and once (RFC 8974 §3.1, §5.2)."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from thingstead.crypto.aead import Aead, aead
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import AuthenticationError, ExpiredError, ReplayError
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

__all__ = ["STATE_OVERHEAD", "StateTokens"]

_AEAD = AlgorithmId.AES_CCM_16_64_128
_KEY_SIZE = 16
_GENERATION_SIZE, _NUMBER_SIZE, _TIME_SIZE, _TAG_SIZE = 1, 4, 4, 8
_HEAD = _GENERATION_SIZE + _NUMBER_SIZE
_TIME_MASK = 0xFFFFFFFF
_MAX_NUMBERS = 1 << 20
"""Tokens under one key; the next key is another, so that no nonce comes twice."""

STATE_OVERHEAD = _HEAD + _TIME_SIZE + _TAG_SIZE
"""Bytes that a token is longer than the state in it."""


class _Key:
    __slots__ = ("aead", "generation", "next", "window")

    def __init__(self, generation: int, key: Secret, window: int) -> None:
        self.aead: Aead = aead(_AEAD, key)
        self.generation = generation
        self.next = 0
        self.window = ReplayWindow(window)


class StateTokens:
    """Makes tokens, and opens each once: generation ‖ number ‖ AEAD(time ‖ state), for one peer.

    Keys are random, never leave the process and end with it, so that nothing is read that another run, or another
    form of state, has sealed.

    Args:
        random_bytes: fresh random bytes.
        lifetime: seconds that a token is good for.
        window: tokens that may be made before the first of them comes back.
    """

    __slots__ = ("_lifetime", "_now_sealing", "_previous", "_random_bytes", "_window")

    def __init__(self, random_bytes: Callable[[int], bytes], *, lifetime: float, window: int) -> None:
        self._random_bytes = random_bytes
        self._lifetime = lifetime
        self._window = window
        self._previous: _Key | None = None
        self._now_sealing = self._key(0)

    def seal(self, state: bytes, peer: Hashable, now: float) -> bytes:
        """A token that holds `state`, good for a response of `peer`."""
        if self._now_sealing.next == _MAX_NUMBERS:
            self._previous = self._now_sealing
            self._now_sealing = self._key(self._previous.generation + 1)
        key = self._now_sealing
        number = key.next
        key.next = number + 1
        head = bytes((key.generation & 0xFF,)) + number.to_bytes(_NUMBER_SIZE, "big")
        stamp = (int(now) & _TIME_MASK).to_bytes(_TIME_SIZE, "big")
        return head + key.aead.encrypt(_nonce(key.aead, number), stamp + state, head + repr(peer).encode())

    def open(self, token: bytes, peer: Hashable, now: float) -> bytes:
        """The state in a token that came back from `peer`; nobody else may bring it, and nobody once it is spent.

        Raises:
            AuthenticationError: not one of ours, changed, or for another peer.
            ReplayError: it is spent, or so many have been made since that nobody knows.
            ExpiredError: it took too long.
        """
        head = token[:_HEAD]
        key = self._known(head) if len(token) >= STATE_OVERHEAD else None
        number = int.from_bytes(head[_GENERATION_SIZE:], "big")
        if key is None or number >= key.next:
            raise AuthenticationError("expected a token that we made", spec="RFC 8974 §3.1", reason="state-token")
        try:
            key.window.check(number)
        except ReplayError as error:
            raise ReplayError(
                "expected a token that is not spent", spec="RFC 8974 §3.1", reason="state-replay"
            ) from error
        opened = key.aead.decrypt(_nonce(key.aead, number), token[_HEAD:], head + repr(peer).encode())
        if (int(now) - int.from_bytes(opened[:_TIME_SIZE], "big")) & _TIME_MASK > self._lifetime:
            raise ExpiredError("expected a token of late, got an old one", spec="RFC 8974 §3.1", reason="state-age")
        return opened[_TIME_SIZE:]

    def spend(self, token: bytes) -> None:
        """The response that an opened token came with has been verified: there is no other."""
        key = self._known(token[:_HEAD])
        if key is not None:
            key.window.accept(int.from_bytes(token[_GENERATION_SIZE:_HEAD], "big"))

    def _known(self, head: bytes) -> _Key | None:
        keys = (self._now_sealing, self._previous)
        return next((key for key in keys if key is not None and key.generation & 0xFF == head[0]), None)

    def _key(self, generation: int) -> _Key:
        return _Key(generation, Secret(self._random_bytes(_KEY_SIZE)), self._window)


def _nonce(algorithm: Aead, number: int) -> bytes:
    return number.to_bytes(algorithm.nonce_size, "big")
