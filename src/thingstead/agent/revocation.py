"""What a thing knows of revoked tokens: it observes the list, and asks for all of it now and then (RFC 9770 §11)."""

from __future__ import annotations

import logging
from collections.abc import Callable

from thingstead.agent.ports import Home
from thingstead.agent.story import Request, Story, Wait
from thingstead.errors import DecodeError, ThingsteadError, TransportError
from thingstead.protocols.ace import revocation
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import path

__all__ = ["REVOCATION_STORY", "REVOKED", "Revocations"]

_LOGGER = logging.getLogger(__name__)

_MAX_LET_GO = 1024
REVOKED = "revoked"
REVOCATION_STORY = "revocations"
"""What the story waits under, so that it can be woken."""


class Revocations:
    """Hashes of the revoked tokens that pertain to this thing.

    A hash stays until the list lets it go, which is when its token has expired (RFC 9770 §11.1): so what was revoked
    once is not taken later, in no order of messages and after no restart.

    For a thing without a clock it stays even then: a token that somebody kept back would count from when it comes, and
    only the hash tells that it was revoked (RFC 9770 §11.1). So many stay; the earliest go first.

    Args:
        home: where they are kept.
        stays: what is revoked stays so after the list let it go.

    Attributes:
        on_revoked: is told of hashes that are new; sessions under these tokens end in it.
    """

    def __init__(self, home: Home, *, stays: bool = False) -> None:
        self._home = home
        self._stays = stays
        self._let_go: dict[bytes, None] = {}
        self._hashes = self._kept = _load(home)
        self.on_revoked: Callable[[frozenset[bytes]], None] = lambda _hashes: None

    def __contains__(self, token_hash: bytes) -> bool:
        return token_hash in self._hashes

    def story(self, *, interval: float, retry: float) -> Story:
        """Observe the list until stopped; an observation that ends begins anew.

        Args:
            interval: seconds between two full queries: a notification may be lost.
            retry: seconds until a query that failed is made again, doubled each time up to `interval`.
        """
        delay = retry
        while True:
            try:
                answer: Message = yield Request(request(Code.GET, path.TRL), on_notification=self._on_notification)
                self._take(answer)
            except ThingsteadError as error:
                # Of what is not heard nothing is concluded (RFC 9770 §11): tokens end by their own time.
                _LOGGER.debug("the list of revoked tokens was not had: %s", error)
                yield Wait(min(delay, interval), REVOCATION_STORY)
                delay = min(2 * delay, interval)
            else:
                delay = retry
                yield Wait(interval, REVOCATION_STORY)

    def _on_notification(self, message: Message) -> None:
        try:
            self._take(message)
        except ThingsteadError as error:
            _LOGGER.warning("a notification of revoked tokens was not taken: %s", error)

    def _take(self, message: Message) -> None:
        if message.code != Code.CONTENT:
            raise TransportError(f"the authorization server answered {message.code:#04x}")
        hashes = revocation.decode_full_set(message.payload)
        if self._stays:
            self._let_go.update(dict.fromkeys(sorted(self._hashes - hashes - self._let_go.keys())))
            while len(self._let_go) > _MAX_LET_GO:
                del self._let_go[next(iter(self._let_go))]
            hashes |= self._let_go.keys()
        new, self._hashes = hashes - self._hashes, hashes
        # Sessions first: a full disk must not keep a revoked token alive.
        if new:
            self.on_revoked(new)
        if hashes != self._kept:
            self._home.save(REVOKED, revocation.encode_full_set(hashes, None))
            self._kept = hashes


def _load(home: Home) -> frozenset[bytes]:
    kept = home.load(REVOKED)
    try:
        return frozenset() if kept is None else revocation.decode_full_set(kept)
    except DecodeError:
        _LOGGER.warning("what was kept of revoked tokens is damaged; it is asked for anew")
        return frozenset()
