"""Compile an admitted file to rules (RFC 8520 §5): who may open which flow. Replies follow their flow.

The file speaks of packets in both directions; a stateful filter needs to know who opens. A TCP entry whose
``direction-initiated`` is not its own direction only describes replies, and opens nothing (RFC 8520 §4.8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from urllib.parse import urlsplit

from thingstead.protocols.mud.file import (
    ANY_PORT,
    AccessEntry,
    Direction,
    Expectation,
    Finding,
    Icmp,
    PortRange,
    Prefix,
    Remote,
    RemoteKind,
)
from thingstead.protocols.mud.signature import AdmittedMudFile

__all__ = [
    "DNS_CLASS",
    "NTP_CLASS",
    "Rule",
    "RuleDifference",
    "RuleSet",
    "Surroundings",
    "compile_rules",
    "difference",
    "rule_of",
]

DNS_CLASS = "urn:ietf:params:mud:dns"
NTP_CLASS = "urn:ietf:params:mud:ntp"
_TCP, _UDP = 6, 17
_BROADCAST = ip_network("255.255.255.255/32")
_PROTOCOLS = {None: "any protocol", 1: "icmp", _TCP: "tcp", _UDP: "udp", 58: "icmpv6"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A flow that may be opened.

    Attributes:
        opened_by: `Direction.FROM_DEVICE` where the thing sends the first packet.
        family: 4 or 6.
        protocol: IP protocol number, None for all.
        remote: the side that is not the thing, still by name.
        remote_ports: ports on that side.
        device_ports: ports on the thing's side.
        icmp: type and code of the first packet.
        expectations: what else its maker says of the flow.
    """

    opened_by: Direction
    family: int
    protocol: int | None
    remote: Remote
    remote_ports: PortRange = ANY_PORT
    device_ports: PortRange = ANY_PORT
    icmp: Icmp | None = None
    expectations: tuple[Expectation, ...] = ()

    def __str__(self) -> str:
        arrow = "->" if self.opened_by is Direction.FROM_DEVICE else "<-"
        number = self.protocol
        words = [f"thing {arrow} {self.remote}", f"ipv{self.family}", _PROTOCOLS.get(number, f"protocol {number}")]
        if self.remote_ports != ANY_PORT:
            words.append(f"remote port {self.remote_ports}")
        if self.device_ports != ANY_PORT:
            words.append(f"thing port {self.device_ports}")
        if self.icmp is not None:
            words.append(f"type {self.icmp.type} code {self.icmp.code}")
        words += map(str, self.expectations)
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What one admitted file lets a thing do.

    Attributes:
        url: the file's ``mud-url``.
        rules: each once, in the order of the file, defaults last.
        findings: of the parser.
        signer: who signed the file; None for nobody.
        policy: name of the policy it was admitted under.
        cache_validity: hours after which the file must be asked for again.
        signer_expires: end of the signer's certificate, where there is one.
        signer_algorithm: by which that certificate is signed; empty where there is none.
        last_update: of the file; None where there is no file.
    """

    url: str
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...]
    signer: str | None
    policy: str
    cache_validity: int
    signer_expires: datetime | None
    signer_algorithm: str = ""
    last_update: datetime | None = None

    @property
    def dns_names(self) -> tuple[str, ...]:
        """Names that must be looked up before the rules can be applied, sorted."""
        return tuple(sorted({rule.remote.name for rule in self.rules if rule.remote.kind is RemoteKind.DNS_NAME}))

    @property
    def authority(self) -> str:
        """The host of the MUD URL: what ``manufacturer`` and ``same-manufacturer`` compare (RFC 8520 §4.1, §4.2)."""
        return (urlsplit(self.url).hostname or "").lower()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The local meaning of what a MUD file leaves open.

    Attributes:
        local_networks: prefixes of the site (RFC 8520 §4.5).
        my_controller: the owner's answer to ``my-controller`` (§4.7).
        controllers: class URI -> prefixes (§4.6).
        manufacturers: authority -> prefixes of its things here (§4.1).
        models: MUD URL -> prefixes of its things here (§4.4).
        names: DNS name -> addresses as last looked up (§8).
    """

    local_networks: tuple[Prefix, ...] = ()
    my_controller: tuple[Prefix, ...] = ()
    controllers: Mapping[str, tuple[Prefix, ...]] = field(default_factory=dict)
    manufacturers: Mapping[str, tuple[Prefix, ...]] = field(default_factory=dict)
    models: Mapping[str, tuple[Prefix, ...]] = field(default_factory=dict)
    names: Mapping[str, tuple[Prefix, ...]] = field(default_factory=dict)

    def resolve(self, rule: Rule, *, authority: str) -> tuple[Prefix, ...]:
        """The prefixes that `rule.remote` means here, of the rule's family; none where nobody has an answer."""
        remote = rule.remote
        found: tuple[Prefix, ...]
        match remote.kind:
            case RemoteKind.ANY:
                found = (ip_network("0.0.0.0/0"), ip_network("::/0"))
            case RemoteKind.PREFIX:
                found = () if remote.prefix is None else (remote.prefix,)
            case RemoteKind.LOCAL_NETWORKS:
                found = self._local(remote.prefix)
            case RemoteKind.LOCAL_BROADCAST:
                found = (_BROADCAST, *[_broadcast(prefix) for prefix in self.local_networks if prefix.version == 4])
            case RemoteKind.MY_CONTROLLER:
                found = self.my_controller
            case RemoteKind.SAME_MANUFACTURER:
                found = self.manufacturers.get(authority, ())
            case RemoteKind.CONTROLLER:
                found = self.controllers.get(remote.name, ())
            case RemoteKind.MANUFACTURER:
                found = self.manufacturers.get(remote.name.lower(), ())
            case RemoteKind.MODEL:
                found = self.models.get(remote.name, ())
            case RemoteKind.DNS_NAME:
                found = self.names.get(remote.name, ())
        return tuple(prefix for prefix in found if prefix.version == rule.family)

    def _local(self, prefix: Prefix | None) -> tuple[Prefix, ...]:
        """Local networks, or their part inside `prefix`; multicast and broadcast never leave them."""
        if prefix is None:
            return self.local_networks
        if prefix.is_multicast or prefix == _BROADCAST:
            return (prefix,)
        inside = [one for one in self.local_networks if one.version == prefix.version and one.overlaps(prefix)]
        return tuple(prefix if prefix.prefixlen >= one.prefixlen else one for one in inside)


@dataclass(frozen=True, slots=True)
class RuleDifference:
    """What changes between two rule sets.

    Attributes:
        added: rules that the new one has alone.
        removed: rules that the old one had alone.
    """

    added: tuple[Rule, ...]
    removed: tuple[Rule, ...]

    @property
    def widens(self) -> bool:
        """Whether the thing may do anything more than before: then a person should look (RFC 8520 §16)."""
        return bool(self.added)


def compile_rules(admitted: AdmittedMudFile) -> RuleSet:
    """Turn the entries of an admitted file into rules, each once, with the local defaults of RFC 8520 §5."""
    rules = [rule for rule in map(rule_of, admitted.file.entries) if rule is not None]
    return RuleSet(
        url=admitted.file.url,
        rules=tuple(dict.fromkeys([*rules, *_DEFAULTS])),
        findings=admitted.file.findings,
        signer=admitted.signer,
        policy=admitted.policy,
        cache_validity=admitted.file.cache_validity,
        signer_expires=admitted.signer_expires,
        signer_algorithm=admitted.signer_algorithm,
        last_update=admitted.file.last_update,
    )


def difference(old: RuleSet | None, new: RuleSet | None) -> RuleDifference:
    """Compare two rule sets; None is the empty one."""
    before = () if old is None else old.rules
    after = () if new is None else new.rules
    return RuleDifference(
        added=tuple(rule for rule in after if rule not in before),
        removed=tuple(rule for rule in before if rule not in after),
    )


def _broadcast(prefix: Prefix) -> Prefix:
    return ip_network(prefix.broadcast_address)


def _is_reply(entry: AccessEntry) -> bool:
    return entry.protocol == _TCP and entry.initiated is not None and entry.initiated is not entry.direction


def rule_of(entry: AccessEntry) -> Rule | None:
    """The flow that one entry lets somebody open; None for one that describes replies alone (RFC 8520 §4.8)."""
    if _is_reply(entry):
        return None
    return Rule(
        opened_by=entry.direction,
        family=entry.family,
        protocol=entry.protocol,
        remote=entry.remote,
        remote_ports=entry.remote_ports,
        device_ports=entry.device_ports,
        icmp=entry.icmp,
        expectations=entry.expectations,
    )


def _default(family: int, protocol: int, name: str, port: int) -> Rule:
    remote = Remote(RemoteKind.CONTROLLER, name)
    return Rule(Direction.FROM_DEVICE, family, protocol, remote, PortRange(port, port))


_DEFAULTS = tuple(
    _default(family, protocol, name, port)
    for protocol, name, port in ((_UDP, DNS_CLASS, 53), (_TCP, DNS_CLASS, 53), (_UDP, NTP_CLASS, 123))
    for family in (4, 6)
)
