"""Requests on their way to origins, and who waits for what they say; observations are shared (RFC 7641 §5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from thingstead.endpoint.event import Address, ExchangeId
from thingstead.errors import StateError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Scheme
from thingstead.proxy.cache import CacheKey
from thingstead.proxy.config import LimitsConfig
from thingstead.proxy.guard import Shares
from thingstead.proxy.routing import Route

__all__ = ["Client", "Name", "Relay", "Relays"]

Name: TypeAlias = tuple[Scheme, ExchangeId]
"""An exchange, and which of the proxy's endpoints has it."""


@dataclass(slots=True, eq=False)
class Client:
    """One request of a client.

    Attributes:
        name: of its exchange.
        source: where it came from.
        request: what it asks of the origin.
        observe: it registers.
        is_told: it has had a response, and as an observer waits for the next.
    """

    name: Name
    source: Address
    request: Message
    observe: bool
    is_told: bool = False


@dataclass(slots=True, eq=False)
class Relay:
    """One request to an origin.

    Attributes:
        route: where it goes.
        key: what its response is stored, and its observation shared, under; None for neither.
        observe: it registers; so its clients come and go.
        clients: who waits for it.
        upstream: its exchange; None while there is no connection with the origin.
        is_validating: it asks whether what is stored still holds.
        is_established: it has had a response.
    """

    route: Route
    key: CacheKey | None
    observe: bool
    clients: dict[Name, Client] = field(default_factory=dict)
    upstream: Name | None = None
    is_validating: bool = False
    is_established: bool = False


class Relays:
    """All of them, bounded in number, per origin, and per address of clients.

    Args:
        limits: those bounds.
    """

    def __init__(self, limits: LimitsConfig) -> None:
        self._max = limits.max_requests
        self._origins = Shares(limits.max_requests_per_origin, of="origin")
        self._hosts = Shares(limits.max_requests_per_address, of="address")
        self._waiting = 0
        self._all: dict[Relay, None] = {}
        self._by_upstream: dict[Name, Relay] = {}
        self._by_observer: dict[Name, Relay] = {}
        self._shared: dict[CacheKey, Relay] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Relay]:
        return iter(list(self._all))

    @property
    def observers(self) -> int:
        """Clients that observe."""
        return len(self._by_observer)

    def start(self, route: Route, key: CacheKey | None, client: Client, *, observe: bool) -> Relay:
        """Enter a request that nobody has asked yet.

        Raises:
            StateError: as many wait as may; or of this origin, or address.
        """
        self._origins.require(route.target)
        relay = Relay(route, key, observe)
        self.join(relay, client)
        self._all[relay] = None
        self._origins.take(route.target)
        if observe and key is not None:
            self._shared[key] = relay
        return relay

    def join(self, relay: Relay, client: Client) -> None:
        """One more waits for the same.

        Raises:
            StateError: as many wait as may; or of this address.
        """
        if self._waiting >= self._max:
            raise StateError(f"expected at most {self._max} requests to be waiting", reason="overload")
        self._hosts.require(client.source[0])
        self._hosts.take(client.source[0])
        self._waiting += 1
        relay.clients[client.name] = client
        if relay.observe:
            self._by_observer[client.name] = relay

    def shared(self, key: CacheKey | None) -> Relay | None:
        """The observation of this, if there is one that may be shared."""
        return None if key is None else self._shared.get(key)

    def sent(self, relay: Relay, upstream: Name) -> None:
        """It is on its way, perhaps once more."""
        if relay.upstream is not None:
            self._by_upstream.pop(relay.upstream, None)
        relay.upstream = upstream
        self._by_upstream[upstream] = relay

    def of(self, upstream: Name) -> Relay | None:
        """The one that this exchange with an origin is for."""
        return self._by_upstream.get(upstream)

    def observes(self, name: Name) -> bool:
        """Whether this client observes."""
        return name in self._by_observer

    def leave(self, observer: Name) -> Relay | None:
        """A client observes no longer; the observation, if it was the last one and nobody is left."""
        relay = self._by_observer.pop(observer, None)
        if relay is None:
            return None
        self._part(relay.clients.pop(observer))
        if relay.clients:
            return None
        self.end(relay)
        return relay

    def end(self, relay: Relay) -> None:
        """It is over, for whoever waits; nothing when it was before."""
        if relay not in self._all:
            return
        del self._all[relay]
        self._origins.release(relay.route.target)
        if relay.upstream is not None:
            self._by_upstream.pop(relay.upstream, None)
        if relay.key is not None and self._shared.get(relay.key) is relay:
            del self._shared[relay.key]
        for client in relay.clients.values():
            if relay.observe:
                self._by_observer.pop(client.name, None)
            self._part(client)

    def _part(self, client: Client) -> None:
        self._hosts.release(client.source[0])
        self._waiting -= 1
