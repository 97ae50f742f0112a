"""The network plane composed from its settings: MUD files, names, rules, and who keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from thingstead.clock import Clock
from thingstead.controller.config import ControllerConfig, NetworkConfig
from thingstead.controller.whereabouts import Whereabouts
from thingstead.crypto.certificate import load_certificate
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.network import RateLimit
from thingstead.domain.ports import Enforcement, Fetcher, Records, Resolver
from thingstead.enforcement.dry_run import DryRun
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.errors import ConfigError
from thingstead.planes.network.alarm import Alarm
from thingstead.planes.network.mud_library import MudLibrary
from thingstead.planes.network.mud_manager import MudManager
from thingstead.planes.network.name_table import NameTable
from thingstead.planes.network.overlay import Overlay
from thingstead.planes.network.rule_book import SiteMap
from thingstead.protocols.mud.file import Direction, PortRange, Prefix, Remote, RemoteKind
from thingstead.protocols.mud.rule import DNS_CLASS, Rule
from thingstead.protocols.mud.signature import AdmissionPolicy
from thingstead.storage.public_suffix import PublicSuffixes
from thingstead.transport.https import HttpsConfig, HttpsFetcher
from thingstead.transport.resolver import HostsResolver

__all__ = ["check", "enforcement", "fetcher", "local_networks", "network_plane", "resolver"]

_TCP, _UDP = 6, 17
_BOOTPS = PortRange(67, 67)
_EVERYBODY = Remote(RemoteKind.PREFIX, prefix=ip_network("255.255.255.255/32"))
_DHCP = ("udp", 67), ("udp", 547)
"""A thing has no address yet when it asks this machine for one."""

_HELPERS = {
    "mdns": (("224.0.0.251", 5353), ("ff02::fb", 5353)),
    "ssdp": (("239.255.255.250", 1900), ("ff02::c", 1900), ("ff05::c", 1900)),
}
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@-]{0,14}")


def check(config: NetworkConfig, *, root: Path) -> None:
    """Look at settings as the plane would, and ask nothing of kernel or network.

    Raises:
        ConfigError: one that cannot be obeyed.
    """
    _enforcer(config)
    _prefixes(config.local, "local")
    for urn, prefixes in config.controllers.items():
        _prefixes(prefixes, urn)
    for name, addresses in config.hosts.items():
        _prefixes(addresses, f"hosts, {name}")
    fetcher(config, root=root)


def local_networks(config: NetworkConfig) -> tuple[Prefix, ...]:
    """What MUD files call local networks here.

    Raises:
        ConfigError: a prefix that is none.
    """
    return _prefixes(config.local, "local")


def enforcement(config: NetworkConfig, *, coap_port: int, ddi_port: int | None = None) -> Enforcement:
    """Who keeps the rules, as the settings say; strangers may knock at these ports of ours.

    Raises:
        ConfigError: an unknown enforcer, no interfaces, or names and prefixes that are none.
        TransportError: the kernel does not take our table.
    """
    enforcer = _enforcer(config)
    if enforcer is None:
        return DryRun("the configuration says so: [network] enforcement")
    doors = (("udp", coap_port), *((("tcp", ddi_port),) if ddi_port is not None else ()), *_DHCP)
    return Nftables(replace(enforcer, onboarding=doors))


def fetcher(config: NetworkConfig, *, root: Path) -> Fetcher:
    """HTTPS to the MUD file servers; relative file names in the settings start at `root`.

    Raises:
        ConfigError: an authorities' file that cannot be read.
    """
    return HttpsFetcher(
        HttpsConfig(
            ca_file=root / config.mud_ca if config.mud_ca else None,
            insecure_private_addresses=config.insecure_private_mud_servers,
            addresses=_hosts(config),
        )
    )


def resolver(config: NetworkConfig) -> Resolver:
    """The addresses that the owner gave, and the system's resolver unless it may not be asked."""
    return HostsResolver(_hosts(config), offline=config.offline)


def network_plane(
    config: ControllerConfig,
    anchors: Callable[[], tuple[TrustAnchor, ...]],
    *,
    keeper: Enforcement,
    files: Fetcher,
    resolve: Resolver,
    records: Records,
    own: Records,
    learned: Records,
    whereabouts: Whereabouts,
    clock: Clock,
    alarm: Callable[[Alarm], None],
) -> MudManager:
    """Compose the plane.

    Args:
        anchors: the makers trusted now, each of which may sign files for its own DNS name only.
        keeper: see `enforcement`.
        files: see `fetcher`.
        resolve: see `resolver`.
        records: a window on the plane's documents for MUD files.
        own: one for the owner's own rules.
        learned: one for what names stand for.

    Raises:
        ConfigError: a setting that cannot be obeyed.
    """
    network = config.network
    local = _prefixes(network.local, "local")
    learns = config.names.enabled
    names = NameTable(
        None if learns else resolve,
        inside=local,
        clock=clock,
        holder=PublicSuffixes().holder,
        alarm=alarm,
        records=learned,
    )
    library = MudLibrary(
        files, records, policy_of=lambda url: _policy_of(url, anchors(), network), clock=clock, alarm=alarm
    )
    controller, baseline = _doors(config)
    site = SiteMap(
        local_networks=local,
        controller=controller,
        controllers={
            **({DNS_CLASS: _prefixes([config.names.host, *config.names.forwarders], "names")} if learns else {}),
            **{urn: _prefixes(prefixes, urn) for urn, prefixes in network.controllers.items()},
        },
        baseline=baseline,
        learn=timedelta(hours=network.learn_hours),
        rate=RateLimit(network.flows_per_second, network.flow_burst, network.packets_per_second),
    )
    return MudManager(
        library,
        names,
        enforcement=keeper,
        site=site,
        overlay=Overlay(own, local=local, controller=controller, baseline=baseline),
        locate=whereabouts.locate,
        clock=clock,
        alarm=alarm,
    )


def _doors(config: ControllerConfig) -> tuple[tuple[Prefix, ...], tuple[Rule, ...]]:
    """Where the controller is, and what every thing may ask there: CoAP both ways, its lease, and hawkBit's API."""
    controller, port = Remote(RemoteKind.MY_CONTROLLER), PortRange(config.coap.port, config.coap.port)
    here = _host(config.coap.host)
    rules = [Rule(way, here.version, _UDP, controller, port) for way in (Direction.FROM_DEVICE, Direction.TO_DEVICE)]
    # A thing renews its lease from its own address, first with the server, then with anybody (RFC 2131 §4.4.5).
    rules += [Rule(Direction.FROM_DEVICE, 4, _UDP, to, _BOOTPS) for to in (controller, _EVERYBODY)]
    if config.ddi.served_port is None:
        return (here,), tuple(rules)
    door, port = _host(config.ddi.host), PortRange(config.ddi.port, config.ddi.port)
    rules.append(Rule(Direction.FROM_DEVICE, door.version, _TCP, controller, port))
    return tuple(dict.fromkeys((here, door))), tuple(rules)


def _policy_of(url: str, anchors: tuple[TrustAnchor, ...], network: NetworkConfig) -> AdmissionPolicy:
    """A maker signs for URLs under its own name, and for no other maker's."""
    host = urlsplit(url).hostname or ""
    makers = [anchor for anchor in anchors if anchor.speaks_for(host)]
    return AdmissionPolicy(
        name=", ".join(anchor.maker for anchor in makers) or "nobody",
        anchors=tuple([load_certificate(der) for anchor in makers for der in anchor.mud_authorities]),
        insecure_unsigned=network.insecure_unsigned_mud,
    )


def _hosts(config: NetworkConfig) -> dict[str, tuple[str, ...]]:
    return {name: tuple(addresses) for name, addresses in config.hosts.items()}


def _enforcer(config: NetworkConfig) -> NftablesConfig | None:
    """What the kernel is to be told; None where nobody enforces."""
    if config.enforcement == "dry_run":
        return None
    if config.enforcement != "nftables":
        raise ConfigError(f"[network] enforcement is nftables or dry_run, not {config.enforcement!r}")
    return NftablesConfig(
        interfaces=_interfaces(config.interfaces),
        local=_prefixes(config.local, "local"),
        helpers=_groups(config.helpers),
        hold_ports=config.hold_ports,
    )


def _groups(helpers: list[str]) -> tuple[tuple[IPv4Address | IPv6Address, int], ...]:
    unknown = [name for name in helpers if name not in _HELPERS]
    if unknown:
        raise ConfigError(f"[network] helpers: expected {' and '.join(_HELPERS)}, got {unknown[0][:60]!r}")
    return tuple([(ip_address(group), port) for name in helpers for group, port in _HELPERS[name]])


def _host(address: str) -> Prefix:
    try:
        return ip_network(ip_address(address).packed)
    except ValueError as error:
        raise ConfigError(f"[coap] or [ddi] host: {error}") from error


def _interfaces(names: list[str]) -> tuple[str, ...]:
    """What goes into the text of the table between quotation marks is names and nothing more."""
    if not names:
        raise ConfigError("[network] interfaces: nftables wants the interfaces behind which things live")
    for name in names:
        if not _INTERFACE.fullmatch(name):
            raise ConfigError(f"[network] interfaces: expected the name of an interface, got {name!r}")
    return tuple(names)


def _prefixes(texts: list[str], setting: str) -> tuple[Prefix, ...]:
    try:
        return tuple([ip_network(text) for text in texts])
    except ValueError as error:
        raise ConfigError(f"[network] {setting}: {error}") from error
