"""What a thing may do on the network, in addresses: the messages of the `Enforcement` port."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from thingstead.identifier import ThingId

__all__ = [
    "ANY_PORTS",
    "NO_MAC",
    "AppliedChange",
    "FlowRule",
    "NetworkChange",
    "NetworkStanding",
    "ThingAddress",
    "Traffic",
]

ANY_PORTS = (0, 65535)
NO_MAC = bytes(6)
"""Where there is no link layer to bind to: loopback, or a thing behind a router."""


@dataclass(frozen=True, slots=True)
class ThingAddress:
    """An address of a thing, bound to the interface that may use it (R-34).

    Attributes:
        mac: six octets.
        ip: IPv4 or IPv6 unicast address.
    """

    mac: bytes
    ip: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class FlowRule:
    """A flow that may be opened; its replies follow it.

    Attributes:
        outbound: True where the thing sends the first packet.
        remote: the other side.
        protocol: IP protocol number, None for all.
        remote_ports: first and last port on the other side.
        thing_ports: first and last port on the thing.
        icmp: type and code of the first packet, None for any.
        lifetime: seconds for which it stands, None for good; for addresses that came out of the DNS.
    """

    outbound: bool
    remote: IPv4Network | IPv6Network
    protocol: int | None = None
    remote_ports: tuple[int, int] = ANY_PORTS
    thing_ports: tuple[int, int] = ANY_PORTS
    icmp: tuple[int | None, int | None] | None = None
    lifetime: int | None = None


@dataclass(frozen=True, slots=True)
class NetworkChange:
    """All that shall hold for one thing from now on; what held before and is not here ends.

    Attributes:
        thing: whose.
        addresses: all of them.
        rules: what it may open; None takes the thing off the network's list of those it knows.
        barred: drop all its packets, to and from, whatever the rules say.
    """

    thing: ThingId
    addresses: tuple[ThingAddress, ...]
    rules: frozenset[FlowRule] | None
    barred: bool = False


@dataclass(frozen=True, slots=True)
class AppliedChange:
    """A change that is in force.

    Attributes:
        thing: whose.
        mode: who keeps it: ``nftables``, or ``dry_run`` for nobody.
        added: rules that were not there before.
        removed: rules that are no longer there.
        seconds: how long the transaction took; None where nothing was enforced.
    """

    thing: ThingId
    mode: str
    added: int
    removed: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class NetworkStanding:
    """What the enforcer itself says of a thing's packets.

    Attributes:
        thing: whose.
        mode: who was asked: ``nftables`` is the kernel, ``dry_run`` nobody.
        admitted: a packet of the thing that its rules allow would pass.
        barred: all its packets are dropped.
    """

    thing: ThingId
    mode: str
    admitted: bool
    barred: bool


@dataclass(frozen=True, slots=True)
class Traffic:
    """Packets of one thing since it was admitted.

    Attributes:
        thing: whose.
        seen: that arrived from it.
        refused: of those, dropped because no rule allowed them; also those dropped while it was barred.
    """

    thing: ThingId
    seen: int
    refused: int
