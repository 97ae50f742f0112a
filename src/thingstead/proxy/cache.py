"""Responses that answer later requests too: while they are fresh, or when their server says that they still hold.

RFC 7252 §5.6; what OSCORE protects is never here, for its response answers one request alone. Nor are errors, though
§5.9.2 would let them: an option that is no part of the cache key can call one forth, and then all would be told it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from thingstead.protocols.coap.code import is_error
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint, is_no_cache_key, is_unsafe
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.proxy.config import CacheConfig, OriginConfig

__all__ = ["Cache", "CacheKey", "as_asked"]

CacheKey = tuple[object, ...]
"""OriginConfig, method, options and payload of a request, as far as they choose its response."""

_DEFAULT_MAX_AGE = 60
_CACHEABLE_METHODS = frozenset((Code.GET, Code.FETCH))
_CHANGES = frozenset((Code.CREATED, Code.DELETED, Code.CHANGED))
_URI = frozenset((int(OptionNumber.URI_PATH), int(OptionNumber.URI_QUERY)))
_INTERPRETED = frozenset((int(OptionNumber.ETAG), int(OptionNumber.HOP_LIMIT), int(OptionNumber.OBSERVE)))
_LOCATION = {
    int(OptionNumber.LOCATION_PATH): int(OptionNumber.URI_PATH),
    int(OptionNumber.LOCATION_QUERY): int(OptionNumber.URI_QUERY),
}
_MAX_AGE = frozenset((int(OptionNumber.MAX_AGE),))
_OF_ONE_HOP = frozenset((int(OptionNumber.OBSERVE), int(OptionNumber.ECHO)))
_OVERHEAD = 256
"""Bytes that a stored response costs besides options and payload."""


@dataclass(slots=True)
class _Stored:
    response: Message
    size: int
    fresh_until: float
    hops: int


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
        """The response to `request` without asking its origin; None where nothing fresh is stored (§5.6.1).

        Nor is what was fetched for a request that was to go less far (RFC 8768 §3).
        """
        stored = self._stored.get(key)
        if stored is None or now >= stored.fresh_until or _hops(request) > stored.hops:
            return None
        self._stored.move_to_end(key)
        left = (int(OptionNumber.MAX_AGE), encode_uint(max(0, int(stored.fresh_until - now))))
        return as_asked(stored.response.with_options(left, without=_MAX_AGE), request)

    def validators(self, key: CacheKey) -> list[tuple[int, bytes]]:
        """ETag of what is stored, to ask the origin whether it still holds (§5.6.2)."""
        stored = self._stored.get(key)
        return [] if stored is None else [(int(OptionNumber.ETAG), v) for v in _etag(stored.response)]

    def take(self, key: CacheKey, request: Message, response: Message, now: float) -> Message:
        """Store a response from the origin, or refresh what it says still holds.

        Returns:
            The representation, where it is known; the response as it came, where it is none.
        """
        stored = self._stored.get(key)
        if response.code == Code.VALID and stored is not None and _etag(response) == _etag(stored.response):
            response = _renewed(stored.response, response)
        if response.code == Code.CONTENT and response.option(OptionNumber.OSCORE) is None:
            self._store(key, request, response, now)
        elif is_error(response.code):
            self._drop(key)
        return response

    def invalidate(self, origin: OriginConfig, request: Message, response: Message) -> list[CacheKey]:
        """Forget what a request has changed, or made, at its origin (§5.9.1); the targets that are other ones now."""
        if request.code in _CACHEABLE_METHODS or response.code not in _CHANGES:
            return []
        targets = [_target(origin, request)]
        made = [(_LOCATION[number], value) for number, value in response.options if number in _LOCATION]
        if made:
            targets.append((*targets[0][:-1], tuple(made)))
        for target in targets:
            for key in self._by_target.get(target, set()).copy():
                self._drop(key)
        return targets

    def _store(self, key: CacheKey, request: Message, response: Message, now: float) -> None:
        self._drop(key)
        lifetime = self._lifetime(response)
        size = _OVERHEAD + len(response.payload) + sum(len(value) for _, value in response.options)
        if (lifetime <= 0 and not _etag(response)) or size > self._config.max_bytes or not self._config.max_responses:
            return
        while len(self._stored) >= self._config.max_responses or self.held + size > self._config.max_bytes:
            self._drop(next(iter(self._stored)))
        kept = response.with_options(without=_OF_ONE_HOP)
        self._stored[key] = _Stored(kept, size, now + lifetime, _hops(request))
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


_TARGET_PARTS = 4


def as_asked(response: Message, request: Message) -> Message:
    """Without the payload where the client has it already (§5.10.6)."""
    etag = _etag(response)
    if response.code != Code.CONTENT or not etag or etag[0] not in request.option_values(OptionNumber.ETAG):
        return response
    kept = [(number, value) for number, value in response.options if number in _OF_VALID]
    return Message(Code.VALID, options=kept)


_OF_VALID = frozenset((int(OptionNumber.ETAG), int(OptionNumber.MAX_AGE), int(OptionNumber.OBSERVE)))


def _target(origin: OriginConfig, request: Message) -> CacheKey:
    return origin.scheme, origin.address, origin.port, tuple(option for option in request.options if option[0] in _URI)


def _hops(request: Message) -> int:
    return request.uint_option(OptionNumber.HOP_LIMIT) or 0


def _etag(response: Message) -> list[bytes]:
    return response.option_values(OptionNumber.ETAG)


def _renewed(stored: Message, valid: Message) -> Message:
    """What is stored, with what a 2.03 says of it: Max-Age anew, and each option that is safe to forward (§5.9.1.3)."""
    said = frozenset(number for number, _ in valid.options if not is_unsafe(number))
    told = [option for option in valid.options if option[0] in said | _MAX_AGE | _OF_ONE_HOP]
    return stored.with_options(*told, without=said | _MAX_AGE)
