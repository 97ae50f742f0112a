"""What the conditions of one entry add up to, and how their values are read (RFC 8519 §4.2, RFC 6991 §4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.file import (
    ANY_PORT,
    Direction,
    Expectation,
    Finding,
    Icmp,
    PortRange,
    Prefix,
    Remote,
    RemoteKind,
)

__all__ = [
    "DNS_NAME",
    "MISPLACED",
    "PER_PACKET",
    "Conditions",
    "EntryContext",
    "parse_dns_name",
    "parse_ethertype",
    "parse_mac",
    "parse_ports",
    "parse_prefix",
]

PER_PACKET = "a condition that each packet of a flow answers anew, while a filter here decides on the first"
"""Why a field of the header that is not the same in all packets of a flow cannot be kept."""

MISPLACED = "actions"
"""What stands among the matches in the example of RFC 9761 §7, and in files that follow it; no condition."""

_ACE = "RFC 8519 §4.2"
_TYPES = "RFC 6991 §4"
DNS_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
                       r"(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?")  # fmt: skip
_HEXADECIMAL = re.compile(r"0x[0-9A-Fa-f]{1,4}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_ETHERTYPES = {"ipv4": 0x0800, "arp": 0x0806, "ipv6": 0x86DD}
_HIGHEST = 65535
_PORTS = range(_HIGHEST + 1)


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
class Conditions:
    """What an ACE says so far; all of it holds together.

    Attributes:
        node: the ACE.
        context: what surrounds it.
        protocol: IP protocol number, None for all.
        remotes: each way in which the other side is named.
        remote_ports: ports there; any of the ranges.
        device_ports: ports on the thing's side.
        icmp: type and code.
        initiated: who opens the connection.
        frame: MAC address that the frame goes to.
        expectations: what a watcher may hold the flow against.
        unmet: why the entry is left out.
    """

    node: Node
    context: EntryContext
    protocol: int | None = None
    remotes: list[Remote] = field(default_factory=list)
    remote_ports: tuple[PortRange, ...] = (ANY_PORT,)
    device_ports: tuple[PortRange, ...] = (ANY_PORT,)
    icmp: Icmp | None = None
    initiated: Direction | None = None
    frame: bytes | None = None
    expectations: list[Expectation] = field(default_factory=list)
    unmet: list[Finding] = field(default_factory=list)

    @property
    def outbound(self) -> bool:
        """Whether the thing is the sender."""
        return self.context.direction is Direction.FROM_DEVICE

    def report(self, node: Node, message: str, spec: str) -> None:
        """Note a quirk that changes nothing."""
        self.context.report(Finding(node.place, message, spec))

    def leave_out(self, node: Node, message: str, spec: str) -> None:
        """Have the whole entry left out: without this condition it would let more through than its maker meant."""
        self.unmet.append(Finding(node.place, f"{message}; the entry is left out", spec, narrows=True))

    def constrain(self, protocol: int, node: Node) -> None:
        """Hold the entry to one IP protocol.

        Raises:
            DecodeError: another one was said before.
        """
        if self.protocol not in {None, protocol}:
            node.refuse(f"conditions of IP protocol {self.protocol} only", spec=_ACE)
        self.protocol = protocol

    def add_remote(
        self, node: Node, kind: RemoteKind, *, source: bool, name: str = "", prefix: Prefix | None = None
    ) -> None:
        """Name the other side by an address field; a condition on the thing's own address is not ours to keep."""
        if source is self.outbound:
            self.leave_out(node, "a condition on the thing's own address", "RFC 8520 §8")
        else:
            self.remotes.append(Remote(kind, name, prefix))

    def add_port(self, name: str, node: Node) -> bool:
        """Take ``source-port`` or ``destination-port``; whether `name` is one of them."""
        if name not in ("source-port", "destination-port"):
            return False
        ports = parse_ports(self, node)
        if (name == "destination-port") is self.outbound:
            self.remote_ports = ports
        else:
            self.device_ports = ports
        return True

    def initiate(self, node: Node) -> None:
        """Take ``direction-initiated`` (RFC 8520 §4.8)."""
        if node.value not in ("from-device", "to-device"):
            node.refuse("from-device or to-device", spec="RFC 8520 §4.8")
        self.initiated = Direction(node.value)


def parse_prefix(conditions: Conditions, node: Node, family: int) -> Prefix | None:
    """An IP prefix; None where it is of the other family, and the entry left out."""
    text = node.text(60, spec=_TYPES)
    length = text.partition("/")[2]
    if not text.isascii() or "%" in text or (length and not length.isdecimal()):
        node.refuse("an address and a prefix length in decimal", spec=_TYPES)
    try:
        host, prefix = _network(text)
    except ValueError:
        node.refuse("an address and a prefix length in decimal", spec=_TYPES)
    if prefix.version != family:
        conditions.leave_out(node, f"an IPv{prefix.version} prefix where IPv{family} is due", _TYPES)
        return None
    if not length:
        conditions.report(node, "a prefix without a length; taken as one host", _TYPES)
    elif prefix.network_address != host:
        conditions.report(node, f"bits beyond the prefix length; read as {prefix}", _TYPES)
    return prefix


@lru_cache(maxsize=256)
def _network(text: str) -> tuple[IPv4Address | IPv6Address, Prefix]:
    """The same few groups and networks come in every file, and take longer to read than all else of an entry."""
    return ip_address(text.partition("/")[0]), ip_network(text, strict=False)


def parse_dns_name(node: Node) -> str:
    """A DNS name, in lower case and without a dot at its end; a pattern is none (RFC 8520 §8)."""
    text = node.text(254, spec="RFC 8520 §8")
    if not text.isascii() or not DNS_NAME.fullmatch(text):
        node.refuse("a DNS name of letters, digits and hyphens", spec=_TYPES)
    return text.rstrip(".").lower()


def parse_mac(node: Node) -> bytes:
    """A MAC address in the notation of YANG."""
    text = node.text(17, spec=_TYPES)
    if not _MAC.fullmatch(text):
        node.refuse("a MAC address of six octets in hexadecimal", spec=_TYPES)
    return bytes.fromhex(text.replace(":", ""))


def parse_ethertype(node: Node) -> int:
    """An ethertype as a number, by its name in RFC 8519 §4.3, or in hexadecimal, as files in the wild have it."""
    value = node.value
    if isinstance(value, str) and value in _ETHERTYPES:
        return _ETHERTYPES[value]
    if isinstance(value, str) and _HEXADECIMAL.fullmatch(value):
        return int(value, 16)
    return node.integer(0, 0xFFFF, spec=_ACE)


def parse_ports(conditions: Conditions, node: Node) -> tuple[PortRange, ...]:
    """Ports by a range or by an operator and a port (RFC 8519 §4.2); ``neq`` gives what is below and above."""
    match node.value:
        case {"operator": "eq", "port": int() as port, **rest} if not rest and type(port) is int and port in _PORTS:
            # What nearly every entry says.
            return (PortRange(port, port),)
    members = dict(node.members(spec=_ACE))
    for name in members.keys() - {"lower-port", "upper-port", "operator", "port"}:
        conditions.leave_out(members[name], "a condition that we do not know", "RFC 8520 §3.9")
    operator = members.get("operator")
    if "port" not in members:
        if operator is not None and operator.value not in ("eq", "range"):
            operator.refuse("no operator beside a range", spec=_ACE)
        if operator is not None:
            conditions.report(operator, "an operator beside a range; the range alone is read", _ACE)
        first = node.member("lower-port", spec=_ACE).integer(0, _HIGHEST, spec=_ACE)
        upper = members.get("upper-port")
        return (PortRange(first, first if upper is None else upper.integer(first, _HIGHEST, spec=_ACE)),)
    if "lower-port" in members or "upper-port" in members:
        node.refuse("a range or one port, not both", spec=_ACE)
    port = members["port"].integer(0, _HIGHEST, spec=_ACE)
    compare = _OPERATORS.get("eq" if operator is None else operator.text(8, spec=_ACE))
    if compare is None:
        node.refuse("an operator of eq, lte, gte or neq", spec=_ACE)
    return tuple([PortRange(first, last) for first, last in compare(port) if first <= last])


_OPERATORS: dict[str, Callable[[int], tuple[tuple[int, int], ...]]] = {
    "eq": lambda port: ((port, port),),
    "lte": lambda port: ((0, port),),
    "gte": lambda port: ((port, _HIGHEST),),
    "neq": lambda port: ((0, port - 1), (port + 1, _HIGHEST)),
}
