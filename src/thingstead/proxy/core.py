"""The proxy itself: requests of clients out to their origins, responses back (RFC 7252 §5.7), without I/O."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.counter import Counters, RateLimit
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import (
    Address,
    ExchangeEnded,
    ExchangeFailed,
    ExchangeId,
    RequestReceived,
    ResponseReceived,
)
from thingstead.errors import (
    DecodeError,
    NoResponseError,
    PolicyError,
    StateError,
    ThingsteadError,
    UnreachableError,
    UnsupportedError,
)
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.proxy.cache import Cache, CacheKey
from thingstead.proxy.config import ProxyConfig
from thingstead.proxy.routing import HopLimitError, NoRouteError, Route, Routes

__all__ = ["Proxy"]

_MAX_COUNTED = 1024
_CODES: dict[type[ThingsteadError], Code] = {
    NoRouteError: Code.PROXYING_NOT_SUPPORTED,
    HopLimitError: Code.HOP_LIMIT_REACHED,
    PolicyError: Code.FORBIDDEN,
    DecodeError: Code.BAD_REQUEST,
    UnsupportedError: Code.PROXYING_NOT_SUPPORTED,
    StateError: Code.SERVICE_UNAVAILABLE,
    NoResponseError: Code.GATEWAY_TIMEOUT,
    UnreachableError: Code.GATEWAY_TIMEOUT,
}
"""What the client is told (RFC 7252 §5.7.1, §5.9.3); anything else that went wrong beyond us is 5.02."""


@dataclass(slots=True)
class _Relayed:
    """A request on its way: whose it is, where it went, and what its response is kept under."""

    client: ExchangeId
    source: Address
    route: Route
    key: CacheKey | None
    is_observation: bool


class Proxy:
    """Forward and reverse proxy in one; drive it as any endpoint, see `transport.udp.Pump`.

    It goes nowhere but to the configured origins. What OSCORE protects passes as it is: the proxy has no keys, sees
    neither method nor path, and caches nothing of it.

    Args:
        config: settings.
        random_bytes: returns that many fresh random bytes.
        today: the date, for exceptions that run out.
        endpoint: bounds below the proxy's own.
    """

    def __init__(
        self,
        config: ProxyConfig,
        *,
        random_bytes: Callable[[int], bytes],
        today: Callable[[], date],
        endpoint: EndpointConfig | None = None,
    ) -> None:
        limits = config.limits
        self._limits = limits
        self._clients = config.clients
        self._served = [ipaddress.ip_network(network) for network in config.clients.networks]
        self._verified = [ipaddress.ip_network(network) for network in config.clients.verified]
        self._routes = Routes(config.origin, hop_limit=limits.hop_limit)
        self._cache = Cache(config.cache)
        self._today = today
        bounds = replace(
            endpoint or EndpointConfig(),
            relays=True,
            response_timeout=limits.origin_seconds,
            max_requests=limits.max_requests,
        )
        strangers = replace(
            bounds.strangers,
            max_exchanges=limits.max_requests,
            max_observers=limits.max_requests,
            max_observers_per_peer=limits.max_observations,
        )
        self._endpoint = Endpoint(
            replace(bounds, strangers=strangers), random_bytes=random_bytes, is_verified=self.is_known
        )
        self._relayed: dict[ExchangeId, _Relayed] = {}
        self._observations: dict[ExchangeId, ExchangeId] = {}
        self._rates: OrderedDict[str, RateLimit] = OrderedDict()
        self._refused = Counters(max_sources=_MAX_COUNTED)
        self.relayed = 0
        self.answered_from_cache = 0

    @property
    def counters(self) -> dict[str, int]:
        """What was refused, by reason: the proxy's own refusals and the endpoint's together."""
        counters = dict(self._endpoint.counters)
        for reason, count in self._refused.by_reason.items():
            counters[reason] = counters.get(reason, 0) + count
        return counters

    def is_known(self, source: Any) -> bool:
        """Whether nobody else can send in this address's name; such sources do not wait behind the others."""
        return _is_in(source, self._verified)

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        """Take a datagram; see `Endpoint.receive_datagram`."""
        self._endpoint.receive_datagram(data, source, now, multicast=multicast)

    def on_unreachable(self, destination: Address, now: float) -> None:
        """The network says that nobody is at `destination`: who waits for that origin is told (5.04)."""
        for exchange, relayed in list(self._relayed.items()):
            if relayed.route.address == destination[:2]:
                self._endpoint.cancel(exchange, now)
                error = UnreachableError("the network says that nobody is at the origin")
                self._on_failure(ExchangeFailed(exchange, error), now)

    def run(self, now: float) -> None:
        """Act on what has come and on what is due."""
        while (event := self._endpoint.next_event()) is not None:
            match event:
                case RequestReceived():
                    self._on_request(event, now)
                case ResponseReceived():
                    self._on_response(event, now)
                case ExchangeFailed():
                    self._on_failure(event, now)
                case ExchangeEnded():
                    self._on_ended(event, now)

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """What may leave now."""
        return self._endpoint.datagrams_to_send(now)

    def next_deadline(self) -> float | None:
        """When `run` is wanted without a datagram."""
        return self._endpoint.next_deadline()

    def _on_request(self, event: RequestReceived, now: float) -> None:
        try:
            if not _is_in(event.source, self._served):
                raise PolicyError("expected a client of the configured networks", reason="client")
            if not self._rate(event.source[0]).allow(now):
                self._refuse(event, "rate", Code.TOO_MANY_REQUESTS, now)
                return
            self._relay(event, self._routes.route(event.message, self._today()), now)
        except ThingsteadError as error:
            self._refuse(event, error.reason, _code(error), now)

    def _relay(self, event: RequestReceived, route: Route, now: float) -> None:
        """Answer from the cache, or ask the origin.

        Raises:
            StateError: as many requests wait as may.
        """
        key = self._cache.key(route.origin, route.request)
        if key is not None and not event.observe:
            stored = self._cache.answer(key, route.request, now)
            if stored is not None:
                self.answered_from_cache += 1
                self._endpoint.send_response(event.exchange, stored, now)
                return
        validators = [] if key is None else self._cache.validators(key)
        asked = route.request.with_options(*[each for each in validators if each not in route.request.options])
        exchange = self._endpoint.send_request(asked, route.address, now, observe=bool(event.observe))
        self.relayed += 1
        self._relayed[exchange] = _Relayed(event.exchange, event.source, route, key, bool(event.observe))
        if event.observe:
            self._observations[event.exchange] = exchange

    def _on_response(self, event: ResponseReceived, now: float) -> None:
        relayed = self._relayed.get(event.exchange)
        if relayed is None:
            return  # its client has gone while this waited to be taken
        if event.is_last:
            self._forget(event.exchange)
        response, request = event.message, relayed.route.request
        self._cache.invalidate(relayed.route.origin, request, response)
        if relayed.key is not None:
            response = self._cache.take(relayed.key, request, response, now)
        self._endpoint.send_response(relayed.client, response, now)

    def _on_failure(self, event: ExchangeFailed, now: float) -> None:
        relayed = self._forget(event.exchange)
        if relayed is None:
            return
        self._refused.count(event.error.reason, relayed.source)
        self._endpoint.send_response(relayed.client, Message(_code(event.error)), now)

    def _on_ended(self, event: ExchangeEnded, now: float) -> None:
        """A client observes no longer: neither do we for it."""
        exchange = self._observations.pop(event.exchange, None)
        if exchange is not None:
            self._relayed.pop(exchange, None)
            self._endpoint.cancel(exchange, now)

    def _forget(self, exchange: ExchangeId) -> _Relayed | None:
        relayed = self._relayed.pop(exchange, None)
        if relayed is not None:
            self._observations.pop(relayed.client, None)
        return relayed

    def _refuse(self, event: RequestReceived, reason: str, code: Code, now: float) -> None:
        self._refused.count(reason, event.source)
        self._endpoint.send_response(event.exchange, Message(code), now)

    def _rate(self, host: str) -> RateLimit:
        rate = self._rates.pop(host, None) or RateLimit(self._clients.requests_per_second)
        self._rates[host] = rate
        if len(self._rates) > self._clients.max_addresses:
            self._rates.popitem(last=False)
        return rate


def _is_in(source: Address, networks: list[IPv4Network | IPv6Network]) -> bool:
    address = ipaddress.ip_address(source[0].partition("%")[0])
    return any(address in network for network in networks)


def _code(error: ThingsteadError) -> Code:
    return next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), Code.BAD_GATEWAY)
