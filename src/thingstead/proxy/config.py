"""Settings of a proxy: where it listens, whom it serves, where it goes, and how each flow stays end to end."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from thingstead.errors import ConfigError
from thingstead.protocols.coap.registry import Scheme

__all__ = [
    "Approach",
    "CacheConfig",
    "ClientsConfig",
    "LimitsConfig",
    "ListenConfig",
    "OriginConfig",
    "ProxyConfig",
]


class Approach(Enum):
    """How security goes on across a middlebox: the six of RFC 8576 §5.1.3."""

    SHARED_CREDENTIALS = "shared-credentials"
    SAME_WIRE_FORMAT = "same-wire-format"
    SELECTIVE_PROTECTION = "selective-protection"
    HOMOMORPHIC_ENCRYPTION = "homomorphic-encryption"
    TRANSFORMATION_PROOF_MAC = "transformation-proof-mac"
    OBJECT_SECURITY = "object-security"


_CARRIED = (Approach.SELECTIVE_PROTECTION, Approach.OBJECT_SECURITY, Approach.SHARED_CREDENTIALS)
"""What a CoAP proxy can carry: OSCORE; payloads that protect themselves; or messages that it could read and change."""

_SPOKEN = (Scheme.COAP, Scheme.COAP_TCP)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenConfig:
    """Where the proxy is.

    Attributes:
        host: IP address to listen on.
        port: UDP port.
        tcp: serve over TCP too, on the port of the same number (RFC 8323).
        name: what it calls itself to whoever looks for a loop of proxies (RFC 8768 §4), without a space; host and port
            when empty.
    """

    host: str = "127.0.0.1"
    port: int = 5690
    tcp: bool = False
    name: str = ""

    @property
    def identifier(self) -> str:
        """Its name, or what stands for one."""
        return self.name or (f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsConfig:
    """Whom the proxy serves.

    Attributes:
        networks: IP networks whose requests are taken; all others are refused with 4.03.
        verified: networks in which nobody can send in another's name; others are answered with at most three times
            what they sent, until they bring an Echo value back (RFC 9175 §2.4).
        requests_per_second: of one address on average, twice as many at once; more are refused with 4.29.
        max_addresses: addresses whose rate is remembered.
    """

    networks: tuple[str, ...] = ("127.0.0.0/8",)
    verified: tuple[str, ...] = ("127.0.0.0/8",)
    requests_per_second: float = 50.0
    max_addresses: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheConfig:
    """What is kept to answer with (RFC 7252 §5.6).

    Attributes:
        max_responses: responses kept; 0 keeps none.
        max_bytes: bytes of their options and payloads.
        max_seconds: the longest that any is fresh, whatever its Max-Age says.
    """

    max_responses: int = 1024
    max_bytes: int = 4 << 20
    max_seconds: float = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsConfig:
    """What is done at one time.

    Attributes:
        max_requests: requests, and observations, that wait for their origin.
        max_requests_per_address: of those, requests and observations of one address, whatever its ports.
        max_requests_per_origin: of those, to one origin, so that a slow one does not keep the others waiting.
        max_observations: of those, observations of one address and port.
        max_connections: connections of clients at one time; a new one takes the place of one that is silent longest.
        max_connections_per_address: of those, connections of one address.
        origin_seconds: how long an origin may take.
        connect_seconds: how long a connection with an origin may take to open.
        hop_limit: proxies that a request without Hop-Limit may go through from here on (RFC 8768 §3).
    """

    max_requests: int = 1024
    max_requests_per_address: int = 128
    max_requests_per_origin: int = 512
    max_observations: int = 16
    max_connections: int = 256
    max_connections_per_address: int = 16
    origin_seconds: float = 60.0
    connect_seconds: float = 10.0
    hop_limit: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginConfig:
    """A server that requests may go to.

    Attributes:
        name: host in Proxy-Uri, or Uri-Host beside Proxy-Scheme; without those (reverse proxy) Uri-Host alone.
        address: its IP address; a name is never resolved.
        port: its port, which the request has to name, if it is not 5683.
        scheme: how it is reached, and what Proxy-Uri or Proxy-Scheme has to say: ``coap`` (UDP) or ``coap+tcp``.
        reverse: requests without Proxy-Uri and Proxy-Scheme go there too: when their Uri-Host is `name`, or when they
            have none and this is the only reverse origin.
        approach: how the flow stays end to end: ``selective-protection`` (nothing but OSCORE passes),
            ``object-security`` (the payload protects itself; the rest does not), or ``shared-credentials`` (we can
            read and change everything), which needs `exception_until` and `exception_reason`.
        exception_until: the last day on which the flow may share credentials; from the next on it is refused.
        exception_reason: why it has to.
    """

    name: str
    address: str
    port: int = 5683
    scheme: Scheme = Scheme.COAP
    reverse: bool = False
    approach: Approach = Approach.SELECTIVE_PROTECTION
    exception_until: date | None = None
    exception_reason: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be kept."""
        object.__setattr__(self, "address", str(_destination(self.address, f"origin {self.name!r}")))
        if not 0 < self.port < 65536:
            raise ConfigError(f"origin {self.name!r}: expected a port of 1 to 65535, got {self.port}")
        if self.scheme not in _SPOKEN:
            spoken = " or ".join(scheme.value for scheme in _SPOKEN)
            raise ConfigError(f"origin {self.name!r}: expected a scheme of {spoken}, got {self.scheme.value}")
        if self.approach not in _CARRIED:
            carried = ", ".join(approach.value for approach in _CARRIED)
            raise ConfigError(f"origin {self.name!r}: a CoAP proxy cannot do {self.approach.value}; it can: {carried}")
        if self.approach is Approach.SHARED_CREDENTIALS and not (self.exception_until and self.exception_reason):
            raise ConfigError(
                f"origin {self.name!r}: shared-credentials needs exception_until = YYYY-MM-DD and exception_reason"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfig:
    """All settings of ``thingstead proxy run``.

    Attributes:
        listen: where it is.
        clients: whom it serves.
        cache: what it keeps.
        limits: what it does at one time.
        origin: where it goes; there is no way to anywhere else.
    """

    listen: ListenConfig = field(default_factory=ListenConfig)
    clients: ClientsConfig = field(default_factory=ClientsConfig)
    cache: CacheConfig = field(default_factory=CacheConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    origin: tuple[OriginConfig, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be kept."""
        for section, name, least, most in _BOUNDS:
            value = getattr(getattr(self, section), name)
            if not least <= value <= most:
                raise ConfigError(f"[{section}]: expected a {name} of {least} to {most}, got {value}")
        here = _address(self.listen.host, "[listen]")
        for origin in self.origin:
            there = _address(origin.address, f"origin {origin.name!r}")
            if here.version != there.version or (here.is_loopback and not there.is_loopback):
                raise ConfigError(f"origin {origin.name!r}: no way from {self.listen.host} to {origin.address}")
            is_here = here == there or (here.is_unspecified and there.is_loopback)
            if is_here and origin.port == self.listen.port:
                raise ConfigError("expected origins elsewhere than where the proxy itself listens")
        for network in (*self.clients.networks, *self.clients.verified):
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ConfigError(f"[clients]: expected IP networks, got {network!r}: {error}") from error
        names = [(origin.name.lower(), origin.port, origin.scheme) for origin in self.origin]
        if len(set(names)) < len(names):
            raise ConfigError("expected each origin's name, port and scheme once")
        if _IDENTIFIER.fullmatch(self.listen.identifier) is None:
            raise ConfigError(f"[listen]: expected a name of 1 to 64 printable characters, got {self.listen.name!r}")


_IDENTIFIER = re.compile(r"[!-~]{1,64}")
"""RFC 8768 §4: no space, which is what stands between two of them."""

_BOUNDS = (
    ("listen", "port", 0, 65_535),
    ("clients", "requests_per_second", 0.01, 1_000_000),
    ("clients", "max_addresses", 1, 1 << 24),
    ("cache", "max_responses", 0, 1 << 24),
    ("cache", "max_bytes", 0, 1 << 34),
    ("cache", "max_seconds", 0, 1 << 32),
    ("limits", "max_requests", 1, 1 << 24),
    ("limits", "max_requests_per_address", 1, 1 << 24),
    ("limits", "max_requests_per_origin", 1, 1 << 24),
    ("limits", "max_observations", 0, 1 << 24),
    ("limits", "max_connections", 1, 1 << 16),
    ("limits", "max_connections_per_address", 1, 1 << 16),
    ("limits", "origin_seconds", 0.1, 247),
    ("limits", "connect_seconds", 0.1, 247),
    ("limits", "hop_limit", 1, 255),
)
"""Section, setting, least and most; an origin has no longer than an exchange may take (RFC 7252 §4.8.2)."""


def _address(text: str, place: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise ConfigError(f"{place}: expected an IP address, got {text!r}") from error


def _destination(text: str, place: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address of one server, in its one spelling, that means the same from wherever it is looked at."""
    address = _address(text, place)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if address.is_multicast or address.is_unspecified or address == _BROADCAST or mapped is not None:
        raise ConfigError(f"{place}: expected the address of one server, got {text}")
    if address.is_link_local:
        raise ConfigError(f"{place}: {text} is another server on every link; give the server an address of its own")
    return address


_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
