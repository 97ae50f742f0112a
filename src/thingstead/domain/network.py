"""What a thing may do on the network, in addresses: the messages of the `Enforcement` port."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from thingstead.identifier import ThingId

__all__ = [
    "ANY_PORTS",
    "NO_MAC",
    "AppliedChange",
    "Drop",
    "FlowRule",
    "NetworkChange",
    "NetworkStanding",
    "RateLimit",
    "RuleTraffic",
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
        port: of the bridge, behind which alone it may be used; empty where that is not known or not to be held.
    """

    mac: bytes
    ip: IPv4Address | IPv6Address
    port: str = ""


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
class RateLimit:
    """How much a thing may send. What is more is dropped and counted, whatever allows it.

    Attributes:
        flows_per_second: that it opens.
        burst: flows that it may open at once after a rest.
        packets_per_second: that it sends, established flows included; a second's worth at once after a rest.
    """

    flows_per_second: int
    burst: int
    packets_per_second: int


@dataclass(frozen=True, slots=True)
class NetworkChange:
    """All that shall hold for one thing from now on; what held before and is not here ends.

    Attributes:
        thing: whose.
        addresses: all of them.
        rules: what it may open; None takes the thing off the network's list of those it knows.
        barred: drop all its packets, to and from, whatever the rules say, `repair` alone excepted.
        denied: what may not be opened, whatever the rules say; flows of the kind that are open end. What is of ranges
            of addresses or ports spares what is in `repair`.
        rate: how much it may send; None for no bound.
        learning: what no rule allows is counted, logged and passed, where the thing or its own site opens it.
            What is denied, barred or too much is dropped all the same.
        repair: what passes while it is barred; while it is not, it allows nothing beside `rules`.
        named: what may be opened to names, a word for each way, whatever they stand for just now: flows go on when an
            address runs out, and end with the way.
    """

    thing: ThingId
    addresses: tuple[ThingAddress, ...]
    rules: frozenset[FlowRule] | None
    barred: bool = False
    denied: frozenset[FlowRule] = frozenset()
    rate: RateLimit | None = None
    learning: bool = False
    repair: frozenset[FlowRule] = frozenset()
    named: frozenset[str] = frozenset()


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
    """Packets of one thing since it was last admitted or barred.

    Attributes:
        thing: whose.
        seen: that arrived from it.
        refused: of those, dropped because no rule allowed them; also those dropped while it was barred.
    """

    thing: ThingId
    seen: int
    refused: int


@dataclass(frozen=True, slots=True)
class RuleTraffic:
    """What came of one rule since it was put in force.

    Attributes:
        rule: the allowance or refusal; of several that are one lookup in the kernel, each has their common count.
        is_refusal: it is of `NetworkChange.denied`.
        packets: that opened a flow by it, or were dropped by it; what follows in an open flow is not asked again.
    """

    rule: FlowRule
    is_refusal: bool
    packets: int


@dataclass(frozen=True, slots=True)
class Drop:
    """A packet that was dropped and logged; under a flood a sample of them, the counters count all.

    Attributes:
        at: seconds since 1970, as the kernel's clock had it.
        reason: which of the kernel's rules dropped it: one word.
        packet_head: its first octets, as an Ethernet frame; addresses of zeros where it had no link layer.
    """

    at: float
    reason: str
    packet_head: bytes
