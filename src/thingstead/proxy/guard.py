"""Whom a proxy serves, and how often."""

from __future__ import annotations

import ipaddress
from collections.abc import Hashable
from typing import Any

from thingstead.endpoint.counter import RateLimits
from thingstead.endpoint.event import Address
from thingstead.errors import PolicyError, StateError
from thingstead.proxy.config import ClientsConfig

__all__ = ["Guard", "RateError", "Shares"]

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class RateError(PolicyError):
    """The address asks more often than one may (4.29, RFC 8516)."""

    reason = "rate"


class Guard:
    """Knows the networks of clients, and remembers the rate of as many addresses as it may.

    Args:
        config: settings.
    """

    def __init__(self, config: ClientsConfig) -> None:
        self._served = [ipaddress.ip_network(network) for network in config.networks]
        self._verified = [ipaddress.ip_network(network) for network in config.verified]
        self._rates = RateLimits(config.requests_per_second, max_names=config.max_addresses)

    def __len__(self) -> int:
        return len(self._rates)

    def is_verified(self, source: Any) -> bool:
        """Whether nobody else can send in this address's name."""
        return _is_in(source, self._verified)

    def is_served(self, source: Address) -> bool:
        """Whether this is one of our clients."""
        return _is_in(source, self._served)

    def require(self, source: Address, now: float) -> None:
        """Count a request.

        Raises:
            PolicyError: none of our clients (4.03).
            RateError: it asks too often (4.29).
        """
        if not self.is_served(source):
            raise PolicyError("expected a client of the configured networks", reason="client")
        if not self._rates.allow(source[0], now):
            raise RateError("expected fewer requests of one address")


class Shares:
    """How many things each name has, and that none has more than its share.

    Args:
        most: of one name.
        of: what is counted, for the error.
    """

    def __init__(self, most: int, *, of: str) -> None:
        self._most = most
        self._of = of
        self._held: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._held)

    def require(self, name: Hashable) -> None:
        """Whether one more may be taken.

        Raises:
            StateError: the name has as many as it may.
        """
        if self._held.get(name, 0) >= self._most:
            raise StateError(f"expected fewer requests of one {self._of}", reason=f"{self._of}-share")

    def take(self, name: Hashable) -> None:
        """Count one."""
        self._held[name] = self._held.get(name, 0) + 1

    def release(self, name: Hashable) -> None:
        """Count one less."""
        left = self._held[name] - 1
        if left:
            self._held[name] = left
        else:
            del self._held[name]


def _is_in(source: Address, networks: list[_Network]) -> bool:
    address: Any = ipaddress.ip_address(source[0].partition("%")[0])
    # An IPv4 client of a socket for both is in its IPv4 network, and not in ::/0.
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in networks)
