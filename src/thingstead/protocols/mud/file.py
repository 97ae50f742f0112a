"""What a MUD file says, as values (RFC 8520 §3, §4, RFC 8519 §4). Nothing here is trusted yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from thingstead.protocols.mud.transparency import Transparency

__all__ = [
    "ANY_PORT",
    "AccessEntry",
    "Direction",
    "Expectation",
    "Finding",
    "Icmp",
    "MudFile",
    "PortRange",
    "Prefix",
    "Remote",
    "RemoteKind",
]

Prefix = IPv4Network | IPv6Network


class Direction(Enum):
    """Which way a packet goes, in the words of ``direction-initiated`` (RFC 8520 §4.8)."""

    FROM_DEVICE = "from-device"
    TO_DEVICE = "to-device"


class RemoteKind(Enum):
    """How the file names the other side (RFC 8520 §4, §8); frames to everybody name the local broadcast addresses."""

    ANY = "any"
    PREFIX = "prefix"
    DNS_NAME = "dns-name"
    LOCAL_NETWORKS = "local-networks"
    LOCAL_BROADCAST = "local-broadcast"
    CONTROLLER = "controller"
    MY_CONTROLLER = "my-controller"
    SAME_MANUFACTURER = "same-manufacturer"
    MANUFACTURER = "manufacturer"
    MODEL = "model"


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Ports `first` to `last`, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


ANY_PORT = PortRange(0, 65535)


@dataclass(frozen=True, slots=True)
class Icmp:
    """ICMP or ICMPv6 type and code; None matches all."""

    type: int | None
    code: int | None


@dataclass(frozen=True, slots=True)
class Remote:
    """The other side of an entry.

    Attributes:
        kind: how it is named.
        name: the DNS name, controller class URI, authority or model URL; empty for the other kinds.
        prefix: set for `RemoteKind.PREFIX`; for local networks it narrows them.
    """

    kind: RemoteKind
    name: str = ""
    prefix: Prefix | None = None

    def __str__(self) -> str:
        detail = " ".join(str(part) for part in (self.name, self.prefix) if part)
        return f"{self.kind.value} {detail}".rstrip()


class Expectation(Protocol):
    """What a maker says of a flow that no packet filter decides, and that a watcher may hold it against.

    A value that can be hashed and compared; as a string it is words for people.
    """

    @property
    def name(self) -> str:
        """Of what kind, in the standard's word."""


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One ACE that accepts packets; what no entry accepts is dropped (RFC 8520 §5).

    Attributes:
        name: the ACE's name, for people.
        place: JSON pointer of the ACE in the file.
        direction: from which policy it is referred to.
        family: 4 or 6.
        protocol: IP protocol number, None for all.
        remote: the side that is not the thing.
        remote_ports: ports on that side.
        device_ports: ports on the thing's side.
        icmp: type and code, where the entry says.
        initiated: who may open the TCP connection (RFC 8520 §4.8); None for either.
        expectations: what else the maker says of the flow.
    """

    name: str
    place: str
    direction: Direction
    family: int
    protocol: int | None
    remote: Remote
    remote_ports: PortRange = ANY_PORT
    device_ports: PortRange = ANY_PORT
    icmp: Icmp | None = None
    initiated: Direction | None = None
    expectations: tuple[Expectation, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the file does that its standard does not say, and what we made of it.

    Attributes:
        place: JSON pointer (RFC 6901).
        message: one sentence.
        spec: the clause.
        narrows: True where an entry is left out, so that the thing may do less than its maker meant.
    """

    place: str
    message: str
    spec: str
    narrows: bool = False

    def __str__(self) -> str:
        return f"{self.place or '/'}: {self.message} ({self.spec})"


@dataclass(frozen=True, slots=True)
class MudFile:
    """A parsed file; still nobody's word.

    Attributes:
        url: ``mud-url``.
        last_update: aware; UTC where the file gives no zone (with a finding).
        cache_validity: hours, 1 to 168.
        is_supported: False once the maker has stopped updating the thing.
        system_info: the maker's line for people, at most 60 characters unless found otherwise.
        manufacturer: ``mfg-name``, or empty.
        model: ``model-name``, or empty.
        signature_url: ``mud-signature``, or empty.
        entries: accepting entries, in file order.
        findings: quirks met on the way.
        transparency: where its software and its vulnerabilities are told (RFC 9472), where the file says.
        describes_tls: whether entries have TLS profiles (RFC 9761 §5.4).
    """

    url: str
    last_update: datetime
    cache_validity: int
    is_supported: bool
    system_info: str
    manufacturer: str
    model: str
    signature_url: str
    entries: tuple[AccessEntry, ...]
    findings: tuple[Finding, ...]
    transparency: Transparency | None = None
    describes_tls: bool = False
