"""Who is in a scenario, and where: things on the segment, the gateway, and an Internet of documentation addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from thingstead.errors import ConfigError

__all__ = ["INTERNET", "KINDS", "OUTSIDE", "SITE", "Cast", "Character", "Kind"]

INTERNET = (IPv4Network("192.0.2.0/24"), IPv4Network("203.0.113.0/24"), IPv4Network("198.18.0.0/15"))
"""Documentation and benchmark addresses (RFC 5737, RFC 2544): nobody's, even if a packet got out."""

SITE = "site"
"""Whom a finding names that is about no single thing."""

OUTSIDE = "outside"
"""Name of the host that stands for everybody outside; it has whatever address of `INTERNET` a sender takes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of thing: dummies of our own, named for what they are like.

    Attributes:
        cloud: host of `INTERNET` that it reports to.
        period: seconds between two reports, about.
        tcp: ports that it serves.
        udp: likewise.
    """

    cloud: IPv4Address
    period: float
    tcp: tuple[int, ...] = ()
    udp: tuple[int, ...] = ()


KINDS: Mapping[str, Kind] = {
    "camera": Kind(IPv4Address("192.0.2.11"), 45.0, tcp=(23, 80)),
    "hub": Kind(IPv4Address("192.0.2.12"), 60.0, tcp=(22, 80), udp=(1900,)),
    "lamp": Kind(IPv4Address("192.0.2.13"), 120.0),
    "plug": Kind(IPv4Address("192.0.2.14"), 90.0, tcp=(80,)),
    "router": Kind(IPv4Address("192.0.2.15"), 75.0, tcp=(80, 7547), udp=(1900,)),
    "sensor": Kind(IPv4Address("192.0.2.16"), 300.0),
}


@dataclass(frozen=True, slots=True)
class Character:
    """One host.

    Attributes:
        name: kind and number, as a scenario calls it.
        kind: key of `KINDS`; `OUTSIDE` for the host outside.
        mac: of its interface.
        ipv4: its address.
        ipv6: its address; None outside.
        port: of the bridge, behind which it is; empty for who is behind none.
    """

    name: str
    kind: str
    mac: bytes
    ipv4: IPv4Address
    ipv6: IPv6Address | None
    port: str = ""


@dataclass(frozen=True, slots=True)
class Cast:
    """All of them.

    Attributes:
        things: in the order in which they were put on the segment.
        gateway: whom they send to first.
    """

    things: tuple[Character, ...]
    gateway: Character

    resolver = IPv4Address("192.0.2.53")
    time_server = IPv4Address("192.0.2.123")
    attacker = IPv4Address("203.0.113.66")
    mail = IPv4Address("203.0.113.25")
    victim = IPv4Address("203.0.113.80")

    def named(self, name: str) -> Character:
        """The thing of that name.

        Raises:
            ConfigError: nobody is called so.
        """
        for one in self.things:
            if one.name == name:
                return one
        raise ConfigError(f"expected one of {', '.join(one.name for one in self.things)}, got {name[:40]!r}")

    def others(self, name: str) -> tuple[Character, ...]:
        """Every thing but that one."""
        return tuple([one for one in self.things if one.name != name])
