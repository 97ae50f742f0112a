"""Parse one accepting ACE (RFC 8519 §4.2, RFC 8520 §4, §8).

A condition that we do not understand, or that nftables could not keep at the network layer, leaves the *whole* entry
out, with a finding: to ignore the condition alone would let more through than the maker meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_address, ip_network

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.file import (
    ANY_PORT,
    AccessEntry,
    Direction,
    Finding,
    Icmp,
    PortRange,
    Prefix,
    Remote,
    RemoteKind,
)

__all__ = ["EntryContext", "parse_entry"]

_DNS_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
                       r"(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?")  # fmt: skip
_TCP, _UDP = 6, 17
_ICMP = {4: 1, 6: 58}
_BROADCAST = IPv4Network("255.255.255.255/32")
_BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
_ETHERTYPES = {4: "0x0800", 6: "0x86dd"}
_UNSEEN = "which filters at the network layer do not see"
_ACE = "RFC 8519 §4.2"
_TYPES = "RFC 6991 §4"


@dataclass(frozen=True, slots=True)
class EntryContext:
    """What surrounds an ACE.

    Attributes:
        name: of the ACE.
        direction: of the policy that refers to its list.
        family: 4 or 6 by the list's type; None for Ethernet.
        report: takes findings.
    """

    name: str
    direction: Direction
    family: int | None
    report: Callable[[Finding], None]


@dataclass(slots=True)
class _Conditions:
    """What an ACE says so far."""

    node: Node
    context: EntryContext
    protocol: int | None = None
    remotes: list[Remote] = field(default_factory=list)
    remote_ports: PortRange = ANY_PORT
    device_ports: PortRange = ANY_PORT
    icmp: Icmp | None = None
    initiated: Direction | None = None
    broadcast_frame: bool = False
    unmet: list[Finding] = field(default_factory=list)

    def leave_out(self, node: Node, message: str, spec: str) -> None:
        self.unmet.append(Finding(node.place, f"{message}; the entry is left out", spec, narrows=True))

    def constrain(self, protocol: int, node: Node) -> None:
        if self.protocol not in {None, protocol}:
            node.refuse(f"conditions of IP protocol {self.protocol} only", spec=_ACE)
        self.protocol = protocol


def parse_entry(ace: Node, context: EntryContext) -> AccessEntry | None:
    """Parse one ACE whose action is accept.

    Returns:
        The entry; None with a finding reported where it cannot be kept exactly.

    Raises:
        DecodeError: a value outside its type, or conditions that contradict each other.
    """
    if context.family is None:
        context.report(Finding(ace.place, f"an Ethernet rule, {_UNSEEN}", _ACE, narrows=True))
        return None
    conditions = _Conditions(ace, context)
    matches = ace.member("matches", spec="RFC 8519 §4.1")
    for name, node in matches.members(spec="RFC 8519 §4.1"):
        parser = _MATCHES.get(name)
        if parser is None:
            conditions.leave_out(node, "a condition that we do not know", "RFC 8520 §3.9")
        else:
            parser(conditions, node)
    remote = _join_remotes(conditions)
    if conditions.broadcast_frame and remote.prefix != _BROADCAST:
        conditions.leave_out(ace, f"a MAC address, {_UNSEEN}", _ACE)
    for finding in conditions.unmet:
        context.report(finding)
    if conditions.unmet:
        return None
    return AccessEntry(
        name=context.name,
        place=ace.place,
        direction=context.direction,
        family=context.family,
        protocol=conditions.protocol,
        remote=remote,
        remote_ports=conditions.remote_ports,
        device_ports=conditions.device_ports,
        icmp=conditions.icmp,
        initiated=conditions.initiated,
    )


def _join_remotes(conditions: _Conditions) -> Remote:
    """Conditions of one ACE hold together; local networks may be narrowed by a prefix, nothing else combines."""
    remotes = {remote.kind: remote for remote in conditions.remotes}
    local, prefix = remotes.get(RemoteKind.LOCAL_NETWORKS), remotes.get(RemoteKind.PREFIX)
    if len(remotes) == 2 and local is not None and prefix is not None:
        return Remote(RemoteKind.LOCAL_NETWORKS, prefix=prefix.prefix)
    if len(conditions.remotes) > 1:
        conditions.leave_out(conditions.node, "more than one condition on the other side", "RFC 8520 §4")
    return conditions.remotes[0] if conditions.remotes else Remote(RemoteKind.ANY)


def _parse_mud(conditions: _Conditions, matches: Node) -> None:
    for name, node in matches.members(spec="RFC 8520 §4"):
        if name in _EMPTY_REMOTES:
            if node.value != [None]:
                node.refuse("[null], the JSON of a YANG empty", spec="RFC 7951 §6.9")
            conditions.remotes.append(Remote(_EMPTY_REMOTES[name]))
        elif name in _NAMED_REMOTES:
            conditions.remotes.append(Remote(_NAMED_REMOTES[name], node.text(1024, spec="RFC 8520 §4")))
        elif name == "direction-initiated":
            _parse_initiated(conditions, node)
        else:
            conditions.leave_out(node, "a condition that we do not know", "RFC 8520 §3.9")


def _parse_ip(conditions: _Conditions, matches: Node, *, family: int) -> None:
    if conditions.context.family not in {None, family}:
        matches.refuse(f"conditions of IPv{conditions.context.family}, as the list's type says", spec=_ACE)
    for name, node in matches.members(spec=_ACE):
        if name == "protocol":
            conditions.constrain(node.integer(0, 255, spec=_ACE), node)
        elif name in (f"source-ipv{family}-network", f"destination-ipv{family}-network"):
            prefix = _parse_prefix(conditions, node, family)
            if prefix is not None and _is_remote(conditions, node, source=name.startswith("source")):
                conditions.remotes.append(Remote(RemoteKind.PREFIX, prefix=prefix))
        elif name in ("ietf-acldns:src-dnsname", "ietf-acldns:dst-dnsname"):
            dns_name = _parse_dns_name(node)
            if _is_remote(conditions, node, source=name.startswith("ietf-acldns:src")):
                conditions.remotes.append(Remote(RemoteKind.DNS_NAME, dns_name))
        else:
            conditions.leave_out(node, "a condition that we do not keep", _ACE)


def _is_remote(conditions: _Conditions, node: Node, *, source: bool) -> bool:
    """Whether this side is the other one; a condition on the thing's own address is not ours to keep."""
    if source is (conditions.context.direction is Direction.TO_DEVICE):
        return True
    conditions.leave_out(node, "a condition on the thing's own address", "RFC 8520 §8")
    return False


def _parse_prefix(conditions: _Conditions, node: Node, family: int) -> Prefix | None:
    text = node.text(60, spec=_TYPES)
    address, _, length = text.partition("/")
    if not text.isascii() or "%" in text or (length and not length.isdecimal()):
        node.refuse("an address and a prefix length in decimal", spec=_TYPES)
    try:
        host, prefix = ip_address(address), ip_network(text, strict=False)
    except ValueError:
        node.refuse("an address and a prefix length in decimal", spec=_TYPES)
    if prefix.version != family:
        conditions.leave_out(node, f"an IPv{prefix.version} prefix where IPv{family} is due", _TYPES)
        return None
    if not length:
        conditions.context.report(Finding(node.place, "a prefix without a length; taken as one host", _TYPES))
    elif prefix.network_address != host:
        message = f"bits beyond the prefix length; read as {prefix}"
        conditions.context.report(Finding(node.place, message, _TYPES))
    return prefix


def _parse_dns_name(node: Node) -> str:
    text = node.text(254, spec="RFC 8520 §8")
    if not text.isascii() or not _DNS_NAME.fullmatch(text):
        node.refuse("a DNS name of letters, digits and hyphens", spec=_TYPES)
    return text.rstrip(".").lower()


def _parse_transport(conditions: _Conditions, matches: Node, *, protocol: int) -> None:
    conditions.constrain(protocol, matches)
    outbound = conditions.context.direction is Direction.FROM_DEVICE
    for name, node in matches.members(spec=_ACE):
        if name in ("source-port", "destination-port"):
            ports = _parse_ports(conditions, node)
            if (name == "destination-port") is outbound:
                conditions.remote_ports = ports
            else:
                conditions.device_ports = ports
        elif name == "ietf-mud:direction-initiated" and protocol == _TCP:
            _parse_initiated(conditions, node)
        else:
            conditions.leave_out(node, "a condition that we do not keep", _ACE)


def _parse_ports(conditions: _Conditions, node: Node) -> PortRange:
    spec = _ACE
    if node.find("port", spec=spec) is None:
        first = node.member("lower-port", spec=spec).integer(0, 65535, spec=spec)
        upper = node.find("upper-port", spec=spec)
        last = first if upper is None else upper.integer(first, 65535, spec=spec)
        return PortRange(first, last)
    port = node.member("port", spec=spec).integer(0, 65535, spec=spec)
    operator = node.find("operator", spec=spec)
    name = "eq" if operator is None else operator.text(8, spec=spec)
    ranges = {"eq": PortRange(port, port), "lte": PortRange(0, port), "gte": PortRange(port, 65535)}
    if name == "neq":
        conditions.leave_out(node, "all ports but one", spec)
        return ANY_PORT
    if name not in ranges:
        node.refuse("an operator of eq, lte, gte or neq", spec=spec)
    return ranges[name]


def _parse_initiated(conditions: _Conditions, node: Node) -> None:
    if node.value not in ("from-device", "to-device"):
        node.refuse("from-device or to-device", spec="RFC 8520 §4.8")
    conditions.initiated = Direction(node.value)


def _parse_icmp(conditions: _Conditions, matches: Node) -> None:
    conditions.constrain(_ICMP[conditions.context.family or 4], matches)
    values: dict[str, int] = {}
    for name, node in matches.members(spec=_ACE):
        if name in ("type", "code"):
            values[name] = node.integer(0, 255, spec=_ACE)
        else:
            conditions.leave_out(node, "a condition that we do not keep", _ACE)
    conditions.icmp = Icmp(values.get("type"), values.get("code"))


def _parse_ethernet(conditions: _Conditions, matches: Node) -> None:
    """An ethertype that repeats the IP family says nothing; a broadcast frame follows from a broadcast address."""
    for name, node in matches.members(spec=_ACE):
        implied = name == "ethertype" and node.value == _ETHERTYPES[conditions.context.family or 4]
        if name == "destination-mac-address" and node.value == _BROADCAST_MAC:
            conditions.broadcast_frame = True
        elif not implied:
            conditions.leave_out(node, f"an Ethernet condition, {_UNSEEN}", _ACE)


_EMPTY_REMOTES = {
    "local-networks": RemoteKind.LOCAL_NETWORKS,
    "my-controller": RemoteKind.MY_CONTROLLER,
    "same-manufacturer": RemoteKind.SAME_MANUFACTURER,
}
_NAMED_REMOTES = {
    "controller": RemoteKind.CONTROLLER,
    "manufacturer": RemoteKind.MANUFACTURER,
    "model": RemoteKind.MODEL,
}
_MATCHES: dict[str, Callable[[_Conditions, Node], None]] = {
    "ietf-mud:mud": _parse_mud,
    "ipv4": lambda conditions, node: _parse_ip(conditions, node, family=4),
    "ipv6": lambda conditions, node: _parse_ip(conditions, node, family=6),
    "tcp": lambda conditions, node: _parse_transport(conditions, node, protocol=_TCP),
    "udp": lambda conditions, node: _parse_transport(conditions, node, protocol=_UDP),
    "icmp": _parse_icmp,
    "eth": _parse_ethernet,
}
