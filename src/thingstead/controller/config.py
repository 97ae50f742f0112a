"""Settings of a domain: one TOML file, one frozen dataclass, unknown keys refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from thingstead.errors import ConfigError
from thingstead.storage import settings

__all__ = [
    "CoapConfig",
    "ControllerConfig",
    "DdiConfig",
    "DomainConfig",
    "JoinConfig",
    "NamesConfig",
    "NetworkConfig",
    "ObserveConfig",
    "SeparateConfig",
    "WatchConfig",
    "WebConfig",
    "load",
    "parse",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainConfig:
    """The domain itself.

    Attributes:
        name: what the owner calls it; part of credentials and ledger heads.
        heads: the second place, outside the domain's own directory and best on another disk: signed ledger heads and
            what was revoked are also kept there; relative paths start at the domain's directory.
    """

    name: str = "home"
    heads: str = "../heads"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoapConfig:
    """The CoAP endpoint for things.

    Attributes:
        host: IP address to listen on.
        port: UDP port.
        multicast_group: IPv4 group that commands to groups of things go to; empty for none, as with an IPv6 host.
        multicast_port: UDP port of that group.
        max_peers: sources that state is kept for at one time.
    """

    host: str = "127.0.0.1"
    port: int = 5683
    multicast_group: str = "239.83.0.1"
    multicast_port: int = 5684
    max_peers: int = 20000


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinConfig:
    """Joining.

    Attributes:
        max_half_open: handshakes under way at one time; the oldest gives way. From a quarter of it on, who begins
            one has to show first that it receives what is sent to its address.
        half_open_seconds: age at which an unfinished handshake is dropped.
        credential_days: validity of what the domain issues to a thing.
    """

    max_half_open: int = 1024
    half_open_seconds: float = 30.0
    credential_days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Enforcement of MUD policy.

    Attributes:
        enforcement: nftables, or dry_run, which computes the rules and says that nobody keeps them.
        interfaces: network interfaces behind which things live.
        local: prefixes of the site, what MUD files call local networks.
        controllers: what a controller class stands for here: URN to prefixes.
        mud_ca: PEM file with the authorities of MUD file servers; empty for the system's.
        insecure_unsigned_mud: take MUD files without a signature, marked as such.
        insecure_private_mud_servers: fetch MUD files from private and loopback addresses too.
        hosts: names whose addresses the owner gives: name to addresses.
        offline: never ask a resolver for other names.
        learn_hours: for so long after a thing was first known that names no MUD file, what it does is passed, counted
            and logged; then it has its way to the controller, and what the owner allows.
        helpers: multicast that works between all devices behind the interfaces: mdns and ssdp, for casting.
        hold_ports: bind each thing's interface to the port of the bridge behind which it is admitted.
        flows_per_second: that a thing may open, beyond a burst.
        flow_burst: that it may open at once.
        packets_per_second: that it may send.
    """

    enforcement: str = "dry_run"
    interfaces: list[str] = field(default_factory=list)
    local: list[str] = field(default_factory=list)
    controllers: dict[str, list[str]] = field(default_factory=dict)
    mud_ca: str = ""
    insecure_unsigned_mud: bool = False
    insecure_private_mud_servers: bool = False
    hosts: dict[str, list[str]] = field(default_factory=dict)
    offline: bool = True
    learn_hours: float = 0.0
    helpers: list[str] = field(default_factory=list)
    hold_ports: bool = False
    flows_per_second: int = 20
    flow_burst: int = 100
    packets_per_second: int = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesConfig:
    """The resolver for things; what their MUD files name is then open from an answer on, for as long as it holds.

    Attributes:
        enabled: serve it; without it the domain asks for all names itself, whether a thing needs them or not.
        host: IP address to listen on, which DHCP has to name to things as their resolver.
        port: UDP and TCP port; things know no other than 53.
        upstreams: IP addresses of the resolvers that it asks; without one it knows `[network] hosts` alone.
        upstream_port: their port.
        forwarders: IP addresses at which things ask another resolver, which asks this one and is believed when it says
            for whom: dnsmasq with `add-subnet=32,128` and `strip-subnet`.
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = 53
    upstreams: list[str] = field(default_factory=list)
    upstream_port: int = 53
    forwarders: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """The read-only live page.

    Attributes:
        enabled: serve it.
        host: loopback address to listen on.
        port: TCP port; 0 lets the kernel choose.
    """

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DdiConfig:
    """Updates for devices that speak hawkBit's DDI API (swupdate, RAUC's updater), over HTTPS.

    Attributes:
        enabled: serve it.
        host: IP address to listen on.
        port: TCP port.
        name: DNS name or IP address that devices call the domain by: it is in its certificate and in every link.
        poll_seconds: after which devices are told to come again.
        max_connections: at one time.
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = 8443
    name: str = "localhost"
    poll_seconds: int = 300
    max_connections: int = 64

    @property
    def served_port(self) -> int | None:
        """The port, where it is served at all."""
        return self.port if self.enabled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveConfig:
    """A control socket for other users of this machine: auditors, or what the file `operators` says of them.

    Attributes:
        group: group of this machine whose members may ask there; empty for nobody.
        socket: where they ask; outside the domain's directory, which is closed to them. Relative paths start there;
            empty for the directory's own name with ``.observe`` behind it, beside it.
    """

    group: str = ""
    socket: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConfig:
    """Looking for what is forgotten (`thingstead thing forgotten`).

    Attributes:
        interval_seconds: a thing is heard at least so often, where the policy's series do not say how often it sends.
        silent_intervals: how many such intervals a thing may miss before it is called silent.
        known: MAC addresses on the things' interfaces that are no things, and are not called unmanaged.
        test_types: test each new type of thing on one of its things (`thingstead type list`).
        interfaces: network interfaces whose packets the detectors see; none if empty. It takes a right.
        gateways: MAC addresses of routers, resolvers and DHCP servers there, beside this machine's own.
        flow_days: how long it is kept whom each thing talked to.
        scan_hours: after which things are knocked at again for services that answer strangers.
    """

    interval_seconds: float = 3600.0
    silent_intervals: int = 3
    known: list[str] = field(default_factory=list)
    test_types: bool = True
    interfaces: list[str] = field(default_factory=list)
    gateways: list[str] = field(default_factory=list)
    flow_days: int = 7
    scan_hours: float = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateConfig:
    """The processes of `thingstead up --separate`.

    Attributes:
        first_user: number of the controller's user; the next ones are those of the enforcer, of each key and plane.
            Nobody else on this machine may have them, nor another domain. Used when root starts the domain.
    """

    first_user: int = 61300


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerConfig:
    """All settings of `thingstead up`.

    Attributes:
        domain: the domain itself.
        coap: endpoint for things.
        join: joining.
        network: enforcement of MUD policy.
        names: resolver for things.
        web: live page.
        ddi: updates over hawkBit's API.
        observe: control socket for observers.
        watch: looking for what is forgotten.
        separate: processes of `thingstead up --separate`.
    """

    domain: DomainConfig = field(default_factory=DomainConfig)
    coap: CoapConfig = field(default_factory=CoapConfig)
    join: JoinConfig = field(default_factory=JoinConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    names: NamesConfig = field(default_factory=NamesConfig)
    web: WebConfig = field(default_factory=WebConfig)
    ddi: DdiConfig = field(default_factory=DdiConfig)
    observe: ObserveConfig = field(default_factory=ObserveConfig)
    watch: WatchConfig = field(default_factory=WatchConfig)
    separate: SeparateConfig = field(default_factory=SeparateConfig)

    def __post_init__(self) -> None:
        """Refuse what could not be kept."""
        for section, name, least, most in _BOUNDS:
            value = getattr(getattr(self, section), name)
            if not least <= value <= most:
                raise ConfigError(f"[{section}] {name}: expected {least} to {most}, got {value}")
        if not self.domain.name.isprintable() or not 0 < len(self.domain.name.encode()) <= _LONGEST_NAME:
            raise ConfigError(f"[domain] name: expected 1 to {_LONGEST_NAME} bytes that can be printed")
        _require_macs("known", self.watch.known)
        _require_macs("gateways", self.watch.gateways)
        _require_resolvers(self.names)
        if self.ddi.enabled and _HOST.fullmatch(self.ddi.name) is None:
            raise ConfigError(f"[ddi] name: expected a DNS name or an IP address, got {self.ddi.name[:60]!r}")
        host, group = _address("[coap] host", self.coap.host), self.coap.multicast_group
        if not group:
            return
        if not _address("[coap] multicast_group", group).is_multicast or ":" in group:
            raise ConfigError(f"[coap] multicast_group: expected an IPv4 group address, got {group!r}")
        if host.version != 4:
            raise ConfigError(f'[coap] multicast_group: expected "" where host is {host}, got the IPv4 group {group}')


_LONGEST_NAME = 64
"""It travels in each credential of the domain, over links of little room."""

_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
_BOUNDS = (
    ("coap", "port", 0, 65_535),
    ("coap", "multicast_port", 1, 65_535),
    ("coap", "max_peers", 1, 1 << 24),
    ("join", "max_half_open", 1, 1 << 20),
    ("join", "half_open_seconds", 1, 3600),
    ("join", "credential_days", 1, 36_500),
    ("names", "port", 1, 65_535),
    ("names", "upstream_port", 1, 65_535),
    ("network", "learn_hours", 0, 744),
    ("network", "flows_per_second", 1, 1_000_000),
    ("network", "flow_burst", 1, 1_000_000),
    ("network", "packets_per_second", 1, 10_000_000),
    ("web", "port", 0, 65_535),
    ("ddi", "port", 1, 65_535),
    ("ddi", "poll_seconds", 1, 86_399),
    ("ddi", "max_connections", 1, 4096),
    ("watch", "interval_seconds", 1, 31_536_000),
    ("watch", "silent_intervals", 1, 10_000),
    ("watch", "flow_days", 1, 366),
    ("watch", "scan_hours", 1, 8760),
    ("separate", "first_user", 1_000, 1 << 31),
)


def load(path: Path) -> ControllerConfig:
    """Read the configuration file.

    Raises:
        ConfigError: missing, unreadable, not TOML, an unknown key or a value of the wrong type; names the place.
    """
    return settings.load(path, ControllerConfig)


def parse(text: str, *, name: str = "configuration") -> ControllerConfig:
    """Parse TOML text.

    Raises:
        ConfigError: as for `load`.
    """
    return settings.parse(text, ControllerConfig, name=name)


def _require_macs(name: str, texts: list[str]) -> None:
    for text in texts:
        if _MAC.fullmatch(text) is None:
            raise ConfigError(f"[watch] {name}: expected a MAC address such as 02:00:00:00:00:01, got {text[:60]!r}")


def _require_resolvers(names: NamesConfig) -> None:
    _address("[names] host", names.host)
    for text in names.upstreams:
        _address("[names] upstreams", text)
    for text in names.forwarders:
        _address("[names] forwarders", text)
    if names.enabled and names.host in names.upstreams and names.port == names.upstream_port:
        raise ConfigError(f"[names] upstreams: {names.host} is this resolver itself")


def _address(place: str, text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError as error:
        raise ConfigError(f"{place}: expected an IP address, got {text[:60]!r}") from error
