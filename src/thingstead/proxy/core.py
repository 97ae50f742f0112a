"""The proxy itself: requests of clients out to their origins, responses back (RFC 7252 §5.7), without I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from thingstead.endpoint.config import EndpointConfig, StreamConfig
from thingstead.endpoint.counter import Counters
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import (
    Address,
    ExchangeEnded,
    ExchangeFailed,
    RequestReceived,
    ResponseReceived,
)
from thingstead.endpoint.stream_endpoint import StreamEndpoint
from thingstead.errors import (
    DecodeError,
    NoResponseError,
    PolicyError,
    StateError,
    ThingsteadError,
    UnreachableError,
    UnsupportedError,
)
from thingstead.protocols.coap.code import is_error
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber, Scheme
from thingstead.proxy.cache import Cache, CacheKey, as_asked
from thingstead.proxy.config import LimitsConfig, ProxyConfig
from thingstead.proxy.guard import Guard, RateError
from thingstead.proxy.loop import LoopError, hop_limit_reached, with_our_name
from thingstead.proxy.relay import Client, Name, Relay, Relays
from thingstead.proxy.routing import HopLimitError, NoRouteError, Route, Routes
from thingstead.proxy.streams import StreamSide

__all__ = ["Proxy"]

_MAX_COUNTED = 1024
_OBSERVE = (int(OptionNumber.OBSERVE), b"")
_ETAGS = frozenset((int(OptionNumber.ETAG),))
_OF_ONE_HOP = frozenset((int(OptionNumber.OBSERVE), int(OptionNumber.ECHO)))
_BAD_GATEWAY = Message(Code.BAD_GATEWAY)
_REFUSED: dict[type[ThingsteadError], Code] = {
    NoRouteError: Code.PROXYING_NOT_SUPPORTED,
    UnsupportedError: Code.PROXYING_NOT_SUPPORTED,
    RateError: Code.TOO_MANY_REQUESTS,
    PolicyError: Code.FORBIDDEN,
    DecodeError: Code.BAD_REQUEST,
    StateError: Code.SERVICE_UNAVAILABLE,
}
"""What a client is told of a request that does not go on (RFC 7252 §5.7.2, §5.9)."""
_FAILED: dict[type[ThingsteadError], Code] = {
    NoResponseError: Code.GATEWAY_TIMEOUT,
    UnreachableError: Code.GATEWAY_TIMEOUT,
    StateError: Code.SERVICE_UNAVAILABLE,
}
"""The same of one that came to nothing; whatever else went wrong beyond us is 5.02 (RFC 7252 §5.7.1)."""


class Proxy:
    """Forward and reverse proxy in one; drive it as any endpoint, see `transport.udp.Pump`.

    It goes nowhere but to the configured origins. What OSCORE protects passes as it is: the proxy has no keys, sees
    neither method nor path, and caches and shares nothing of it.

    Args:
        config: settings.
        random_bytes: returns that many fresh random bytes.
        today: the date, for exceptions that run out.
        endpoint: bounds below the proxy's own.
        acted: told when something has happened that may have left something to be sent on either side.

    Attributes:
        streams: the side of it that is on connections.
        relayed: requests that were sent to an origin.
        answered_from_cache: requests that were not.
        joined: observations that another one, there already, stands for.
    """

    def __init__(
        self,
        config: ProxyConfig,
        *,
        random_bytes: Callable[[int], bytes],
        today: Callable[[], date],
        endpoint: EndpointConfig | None = None,
        acted: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = config.listen.identifier
        self._guard = Guard(config.clients)
        self._routes = Routes(config.origin, hop_limit=config.limits.hop_limit)
        self._cache = Cache(config.cache)
        self._relays = Relays(config.limits)
        self._today = today
        self._acted = acted
        self._refused = Counters(max_sources=_MAX_COUNTED)
        bounds = _bounds(endpoint or EndpointConfig(), config.limits)
        datagrams = Endpoint(bounds, random_bytes=random_bytes, is_verified=self.is_known)
        room = len(config.origin)
        streams = StreamConfig(
            max_connections=config.limits.max_connections + room,
            max_connections_per_host=config.limits.max_connections_per_address + room,
        )
        connections = StreamEndpoint(bounds, streams, random_bytes=random_bytes)
        self._datagrams = datagrams
        self._endpoints: dict[Scheme, Endpoint] = {Scheme.COAP: datagrams, Scheme.COAP_TCP: connections}
        self.streams = StreamSide(
            connections,
            guard=self._guard,
            limits=config.limits,
            run=self.run,
            opened=self._on_opened,
            unopened=lambda origin, now: self._on_nobody(Scheme.COAP_TCP, origin, now),
        )
        self.relayed = 0
        self.answered_from_cache = 0
        self.joined = 0

    @property
    def counters(self) -> dict[str, int]:
        """What was refused, or came to nothing, by reason."""
        counters = dict(self._refused.by_reason)
        for endpoint in self._endpoints.values():
            for reason, count in endpoint.counters.items():
                counters[reason] = counters.get(reason, 0) + count
        return counters

    @property
    def held(self) -> dict[str, int]:
        """What there is now of everything that clients can make grow."""
        return {
            "waiting": len(self._relays),
            "observers": self._relays.observers,
            "connections": len(self.streams),
            "cached": len(self._cache),
            "cached_bytes": self._cache.held,
            "addresses": len(self._guard),
        }

    def is_known(self, source: Any) -> bool:
        """Whether nobody else can send in this address's name; such sources do not wait behind the others."""
        return self._guard.is_verified(source)

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        """Take a datagram; see `Endpoint.receive_datagram`."""
        self._datagrams.receive_datagram(data, source, now, multicast=multicast)

    def on_unreachable(self, destination: Address, now: float) -> None:
        """The network says that nobody is at `destination`: who waits for that origin is told (5.04)."""
        self._on_nobody(Scheme.COAP, destination[:2], now)

    def run(self, now: float) -> None:
        """Act on what has come, on either side, and on what is due."""
        has_acted = False
        for scheme, endpoint in self._endpoints.items():
            while (event := endpoint.next_event()) is not None:
                has_acted = True
                match event:
                    case RequestReceived():
                        self._on_request(scheme, event, now)
                    case ResponseReceived():
                        self._on_response((scheme, event.exchange), event, now)
                    case ExchangeFailed():
                        relay = self._relays.of((scheme, event.exchange))
                        if relay is not None:
                            self._fail(relay, event.error, now)
                    case ExchangeEnded():
                        self._leave((scheme, event.exchange), now)
        if has_acted:
            self._acted()

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """What may leave now."""
        return self._datagrams.datagrams_to_send(now)

    def next_deadline(self) -> float | None:
        """When `run` is wanted without a datagram."""
        return self._datagrams.next_deadline()

    # --- requests

    def _on_request(self, scheme: Scheme, event: RequestReceived, now: float) -> None:
        try:
            self._guard.require(event.source, now)
            route = self._routes.route(event.message, self._today())
            client = Client((scheme, event.exchange), event.source, route.request, bool(event.observe))
            self._serve(client, route, now)
        except ThingsteadError as error:
            self._refused.count(error.reason, event.source)
            self._leave((scheme, event.exchange), now)
            is_last_hop = isinstance(error, HopLimitError)
            answer = hop_limit_reached(self._name) if is_last_hop else Message(_code(error, _REFUSED))
            self._endpoints[scheme].send_response(event.exchange, answer, now)

    def _serve(self, client: Client, route: Route, now: float) -> None:
        """Answer from the cache, have the client share an observation, or ask the origin.

        Raises:
            StateError: as many requests wait as may.
        """
        key = self._cache.key(route.origin, route.request)
        shared = self._relays.shared(key) if client.observe else None
        if shared is not None:
            self._relays.join(shared, client)
            self.joined += 1
            if not shared.is_established:
                return
        if key is not None and (shared is not None or not client.observe):
            stored = self._cache.answer(key, route.request, now)
            if stored is not None:
                self.answered_from_cache += 1
                self._tell(client, stored, now, goes_on=shared is not None)
                return
        # Who joins what is stale is asked for separately, lest all the others be told again what they know.
        self._ask(route, key, client, now, observe=client.observe and shared is None)

    def _ask(self, route: Route, key: CacheKey | None, client: Client, now: float, *, observe: bool) -> None:
        relay = self._relays.start(route, key, client, observe=observe)
        try:
            self._send(relay, now)
        except ThingsteadError:
            self._relays.end(relay)
            raise

    def _send(self, relay: Relay, now: float, *, validate: bool = True) -> None:
        """Send a request on; it waits where its connection is not there yet."""
        route = relay.route
        scheme = route.origin.scheme
        if scheme is Scheme.COAP_TCP and not self.streams.reach(route.address):
            self._acted()
            return
        asked = route.request
        if relay.key is not None and relay.observe:
            # Each notification is whole: others share it, and what they know of are other representations.
            asked = asked.with_options(without=_ETAGS)
        elif relay.key is not None and validate:
            validators = [each for each in self._cache.validators(relay.key) if each not in asked.options]
            relay.is_validating = bool(validators)
            asked = asked.with_options(*validators)
        exchange = self._endpoints[scheme].send_request(asked, route.address, now, observe=relay.observe)
        self._relays.sent(relay, (scheme, exchange))
        self.relayed += 1

    def _send_waiting(self, relay: Relay, now: float, *, validate: bool = True) -> None:
        try:
            self._send(relay, now, validate=validate)
        except ThingsteadError as error:
            self._fail(relay, error, now)

    # --- responses

    def _on_response(self, name: Name, event: ResponseReceived, now: float) -> None:
        relay = self._relays.of(name)
        if relay is None:
            return  # its client has gone while this waited to be taken
        response, request = event.message, relay.route.request
        if response.option(OptionNumber.OSCORE) is not None and request.option(OptionNumber.OSCORE) is None:
            error = UnsupportedError(
                "expected no OSCORE in the response to a plain request", reason="unexpected-oscore"
            )
            self._abandon(relay, now)
            self._fail(relay, error, now)
            return
        self._forget_changed(relay, response)
        if relay.key is not None:
            response = self._cache.take(relay.key, request, response, now)
        if relay.is_validating and _is_unknown(response, request):
            # What it says holds has given way meanwhile.
            relay.is_validating = False
            self._send_waiting(relay, now, validate=False)
            return
        relay.is_established = True
        if event.is_last:
            self._relays.end(relay)
        for client in list(relay.clients.values()):
            self._pass_on(relay, client, response, now, is_last=event.is_last)

    def _pass_on(self, relay: Relay, client: Client, response: Message, now: float, *, is_last: bool) -> None:
        if relay.observe:
            self._tell(client, response, now, goes_on=not is_last)
        elif not client.is_told:
            # It joined an observation meanwhile; or it has been told by that one before this came.
            self._tell(client, response, now, goes_on=self._relays.observes(client.name))

    def _tell(self, client: Client, response: Message, now: float, *, goes_on: bool) -> None:
        """Answer a client, or notify it."""
        told = as_asked(response, client.request)
        if _is_unknown(told, client.request):
            told = _BAD_GATEWAY
        try:
            told = with_our_name(told, self._name)
        except LoopError as error:
            self._refused.count(error.reason, client.source)
            told = _BAD_GATEWAY
        is_kept = goes_on and not is_error(told.code)
        # Echo, as Observe, is between us and the origin; where the client needs one it gets ours (RFC 9175 §2.3).
        told = told.with_options(*([_OBSERVE] if is_kept else []), without=_OF_ONE_HOP)
        client.is_told = True
        if client.observe and not is_kept:
            self._leave(client.name, now)
        scheme, exchange = client.name
        self._endpoints[scheme].send_response(exchange, told, now)

    def _forget_changed(self, relay: Relay, response: Message) -> None:
        """What is changed at its origin is stored no longer; nor what was asked before that and comes now."""
        changed = self._cache.invalidate(relay.route.origin, relay.route.request, response)
        for other in self._relays if changed else ():
            if other.key is not None and not other.observe and other.key[: len(changed[0])] in changed:
                other.key = None

    # --- what comes to nothing

    def _fail(self, relay: Relay, error: ThingsteadError, now: float) -> None:
        self._relays.end(relay)
        for client in list(relay.clients.values()):
            if client.observe and client.is_told and not relay.observe:
                continue
            self._refused.count(error.reason, client.source)
            self._tell(client, Message(_code(error, _FAILED)), now, goes_on=False)

    def _leave(self, observer: Name, now: float) -> None:
        """A client observes no longer; after the last one neither do we."""
        relay = self._relays.leave(observer)
        if relay is not None:
            self._abandon(relay, now)

    def _abandon(self, relay: Relay, now: float) -> None:
        if relay.upstream is not None:
            scheme, exchange = relay.upstream
            self._endpoints[scheme].cancel(exchange, now)

    def _on_opened(self, origin: Address, now: float) -> None:
        for relay in self._waiting_for(Scheme.COAP_TCP, origin):
            if relay.upstream is None:
                self._send_waiting(relay, now)

    def _on_nobody(self, scheme: Scheme, origin: Address, now: float) -> None:
        error = UnreachableError("the network says that nobody is at the origin")
        for relay in self._waiting_for(scheme, origin):
            self._abandon(relay, now)
            self._fail(relay, error, now)

    def _waiting_for(self, scheme: Scheme, origin: Address) -> list[Relay]:
        return [relay for relay in self._relays if relay.route.target == (scheme, origin)]


def _bounds(endpoint: EndpointConfig, limits: LimitsConfig) -> EndpointConfig:
    strangers = replace(
        endpoint.strangers,
        max_exchanges=limits.max_requests,
        max_observers=limits.max_requests,
        max_observers_per_peer=limits.max_observations,
    )
    return replace(
        endpoint,
        relays=True,
        response_timeout=limits.origin_seconds,
        max_requests=limits.max_requests,
        strangers=strangers,
    )


def _is_unknown(response: Message, request: Message) -> bool:
    """Whether it says that something holds which the request does not name (RFC 7252 §5.9.1.3)."""
    if response.code != Code.VALID:
        return False
    return not set(response.option_values(OptionNumber.ETAG)) & set(request.option_values(OptionNumber.ETAG))


def _code(error: ThingsteadError, codes: dict[type[ThingsteadError], Code]) -> Code:
    return next((codes[kind] for kind in type(error).__mro__ if kind in codes), Code.BAD_GATEWAY)
