"""Responses that answer later requests too: while they are fresh, or when their server says that they still hold.

RFC 7252 §5.6; what OSCORE protects is never here, for its response answers one request alone.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint, is_no_cache_key
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.proxy.config import CacheConfig, OriginConfig

__all__ = ["Cache", "CacheKey"]

CacheKey = tuple[object, ...]
"""OriginConfig, method, options and payload of a request, as far as they choose its response."""

_DEFAULT_MAX_AGE = 60
_CACHEABLE_METHODS = frozenset((Code.GET, Code.FETCH))
_CHANGES = frozenset((Code.CREATED, Code.DELETED, Code.CHANGED))
_URI = frozenset((int(OptionNumber.URI_PATH), int(OptionNumber.URI_QUERY)))
_INTERPRETED = frozenset((int(OptionNumber.ETAG), int(OptionNumber.HOP_LIMIT), int(OptionNumber.OBSERVE)))
_MAX_AGE = frozenset((int(OptionNumber.MAX_AGE),))
_OVERHEAD = 256
"""Bytes that a stored response costs besides options and payload."""


@dataclass(slots=True)
class _Stored:
    response: Message
    size: int
    fresh_until: float


class Cache:
    """A bounded store; the response that was used longest ago gives way."""

    def __init__(self, config: CacheConfig) -> None:
        self._config = config
        self._stored: OrderedDict[CacheKey, _Stored] = OrderedDict()
        self._by_target: dict[CacheKey, set[CacheKey]] = {}
        self.held = 0

    def __len__(self) -> int:
        return len(self._stored)

    def key(self, origin: OriginConfig, request: Message) -> CacheKey | None:
        """What `request` to `origin` is stored under; None for one whose response may not be stored (§5.6)."""
        if request.code not in _CACHEABLE_METHODS or request.option(OptionNumber.OSCORE) is not None:
            return None
        options = [(n, v) for n, v in request.options if n not in _INTERPRETED and not is_no_cache_key(n)]
        return (*_target(origin, request), request.code, tuple(options), request.payload)

    def answer(self, key: CacheKey, request: Message, now: float) -> Message | None:
        """The response to `request` without asking its origin; None where nothing fresh is stored (§5.6.1)."""
        stored = self._stored.get(key)
        if stored is None or now >= stored.fresh_until:
            return None
        self._stored.move_to_end(key)
        return _as_asked(stored, request, now)

    def validators(self, key: CacheKey) -> list[tuple[int, bytes]]:
        """ETag of what is stored, to ask the origin whether it still holds (§5.6.2)."""
        stored = self._stored.get(key)
        return [] if stored is None else [(int(OptionNumber.ETAG), v) for v in _etag(stored.response)]

    def take(self, key: CacheKey, request: Message, response: Message, now: float) -> Message:
        """Store a response from the origin, or refresh what it says still holds; the response for the client."""
        stored = self._stored.get(key)
        if response.code == Code.VALID and stored is not None and _etag(response) == _etag(stored.response):
            renewed = stored.response.with_options(
                *[(n, v) for n, v in response.options if n == OptionNumber.MAX_AGE], without=_MAX_AGE
            )
            self._store(key, renewed, now)
            told = _as_asked(_Stored(renewed, 0, now + self._lifetime(renewed)), request, now)
            return told.with_options(*[(n, v) for n, v in response.options if n == OptionNumber.OBSERVE])
        if response.code == Code.CONTENT:
            self._store(key, response, now)
        return response

    def invalidate(self, origin: OriginConfig, request: Message, response: Message) -> None:
        """Forget what a request has changed at its origin (§5.9.1)."""
        if request.code not in _CACHEABLE_METHODS and response.code in _CHANGES:
            for key in self._by_target.get(_target(origin, request), set()).copy():
                self._drop(key)

    def _store(self, key: CacheKey, response: Message, now: float) -> None:
        self._drop(key)
        lifetime = self._lifetime(response)
        size = _OVERHEAD + len(response.payload) + sum(len(value) for _, value in response.options)
        if (lifetime <= 0 and not _etag(response)) or size > self._config.max_bytes or not self._config.max_responses:
            return
        while len(self._stored) >= self._config.max_responses or self.held + size > self._config.max_bytes:
            self._drop(next(iter(self._stored)))
        kept = response.with_options(without=frozenset((int(OptionNumber.OBSERVE),)))
        self._stored[key] = _Stored(kept, size, now + lifetime)
        self._by_target.setdefault(key[:_TARGET_PARTS], set()).add(key)
        self.held += size

    def _drop(self, key: CacheKey) -> None:
        stored = self._stored.pop(key, None)
        if stored is None:
            return
        self.held -= stored.size
        target = key[:_TARGET_PARTS]
        keys = self._by_target[target]
        keys.discard(key)
        if not keys:
            del self._by_target[target]

    def _lifetime(self, response: Message) -> float:
        age = response.uint_option(OptionNumber.MAX_AGE)
        return min(self._config.max_seconds, _DEFAULT_MAX_AGE if age is None else age)


_TARGET_PARTS = 3


def _target(origin: OriginConfig, request: Message) -> CacheKey:
    return origin.address, origin.port, tuple(option for option in request.options if option[0] in _URI)


def _etag(response: Message) -> list[bytes]:
    return response.option_values(OptionNumber.ETAG)


def _as_asked(stored: _Stored, request: Message, now: float) -> Message:
    """With the seconds that are left of Max-Age, and without the payload where the client has it already (§5.10.6)."""
    left = (int(OptionNumber.MAX_AGE), encode_uint(max(0, int(stored.fresh_until - now))))
    etag = _etag(stored.response)
    if etag and etag[0] in request.option_values(OptionNumber.ETAG):
        return Message(Code.VALID, options=[(int(OptionNumber.ETAG), etag[0]), left])
    return stored.response.with_options(left, without=_MAX_AGE)
