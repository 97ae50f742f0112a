"""What detectors are told of the site whose packets they see: who is who there, and what was planned."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network

from thingstead.analysis.detectors.window import MAX_DEVICES, PerKey
from thingstead.analysis.traffic.name_book import NameBook, NameLimits
from thingstead.errors import ProtocolError
from thingstead.identifier import ThingId
from thingstead.protocols.dhcp.v4 import decode_lease
from thingstead.protocols.packet.packet import Packet

__all__ = ["HOME", "Scene"]

HOME: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)
"""Where nobody says what is local: addresses that no router of the Internet carries (RFC 1918, 3927, 4193, 4291)."""

_WEEK = 7 * 86_400
_LOOKED_UP = NameLimits(min_seconds=_WEEK, max_seconds=_WEEK)
"""Things go on using an answer long after it ended: what was looked up within a week is no address out of nowhere."""

_IN_USE = 3600.0
_UDP, _DHCP_SERVER = 17, 67
_MADE_UP = bytes([169, 254])


def _heard() -> PerKey[bytes, float]:
    return PerKey(float, MAX_DEVICES)


def _by_address() -> PerKey[bytes, bytes]:
    return PerKey(bytes, MAX_DEVICES)


@dataclass(frozen=True, slots=True)
class Scene:
    """The site at one instant; made anew when it changes.

    Attributes:
        gateways: link-layer addresses of what routes, and may answer for names, addresses and DHCP.
        gateway_addresses: packed IP addresses of the same.
        local: prefixes of the site.
        things: the domain's things by link-layer address.
        addresses: link-layer address that an IP address, packed, is bound to (R-34).
        installs: when a thing last began to run another release, in seconds since 1970.
        intervals: seconds that a thing may stay silent as planned: it sleeps, or has nothing to say.
        names: what addresses were looked up as; `hear` teaches it.
        heard: when an address was last used by whom it is bound to; likewise.
        claimed: link-layer address that asked or answered last, by ARP, under an address; likewise.
        leases: link-layer address that a gateway gave an address to; likewise.
    """

    gateways: frozenset[bytes] = frozenset()
    gateway_addresses: frozenset[bytes] = frozenset()
    local: tuple[IPv4Network | IPv6Network, ...] = HOME
    things: Mapping[bytes, ThingId] = field(default_factory=dict)
    addresses: Mapping[bytes, bytes] = field(default_factory=dict)
    installs: Mapping[ThingId, float] = field(default_factory=dict)
    intervals: Mapping[ThingId, float] = field(default_factory=dict)
    names: NameBook = field(default_factory=lambda: NameBook(_LOOKED_UP), repr=False, compare=False)
    heard: PerKey[bytes, float] = field(default_factory=_heard, repr=False, compare=False)
    claimed: PerKey[bytes, bytes] = field(default_factory=_by_address, repr=False, compare=False)
    leases: PerKey[bytes, bytes] = field(default_factory=_by_address, repr=False, compare=False)
    _masks: Mapping[int, tuple[tuple[int, int], ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Asked for every packet: two integers are cheaper than a network object.
        masks = {
            size: tuple(
                [(int(one.netmask), int(one.network_address)) for one in self.local if one.max_prefixlen == bits]
            )
            for size, bits in ((4, 32), (16, 128))
        }
        object.__setattr__(self, "_masks", masks)

    def hear(self, packet: Packet) -> None:
        """Learn what a packet says of names and addresses; once for each, before detectors see it."""
        self.names.see(packet)
        address = packet.arp.sender_ip if packet.arp is not None else packet.source
        if address and self.addresses.get(address) == packet.source_mac:
            self.heard[address] = packet.at
        # What is announced unasked (RFC 5227 §3) may be of a network that the device alone is on.
        if packet.arp is not None and packet.arp.sender_ip != packet.arp.target_ip:
            self.claimed[packet.arp.sender_ip] = packet.arp.sender_mac
        elif packet.protocol == _UDP and packet.source_port == _DHCP_SERVER and packet.source_mac in self.gateways:
            with suppress(ProtocolError):
                lease = decode_lease(packet.payload)
                self.leases[lease.ip] = lease.mac

    def owner(self, address: bytes, now: float) -> bytes | None:
        """Whom an address is bound to that used it of late; one that is not used any more may be given to another.

        Nobody, where a gateway gave it to another: a binding follows its lease some seconds later.
        """
        if address not in self.heard or now - self.heard[address] > _IN_USE:
            return None
        bound = self.addresses.get(address)
        return None if address in self.leases and self.leases[address] != bound else bound

    def claims(self, device: bytes, address: bytes) -> bool:
        """Whether an address is bound to a device, or the device asked or answered last under it.

        One that is made up on the link (RFC 3927 §1.9) is nobody's: a machine has it beside another, in turn.
        """
        if address.startswith(_MADE_UP) or not any(address):
            return False
        is_claimed = address in self.claimed and self.claimed[address] == device
        return is_claimed or self.addresses.get(address) == device

    def is_outside(self, address: bytes) -> bool:
        """Whether a packed address is a host's beyond the site; groups and everybody are none."""
        number, size = int.from_bytes(address), len(address)
        if not number or address[0] == 0xFF or (size == 4 and address[0] >= 224):
            return False
        for mask, prefix in self._masks.get(size, ()):  # noqa: SIM110  several times for each packet: any() takes double
            if number & mask == prefix:
                return False
        return True

    def receiver(self, packet: Packet) -> bytes:
        """Link-layer address of whom a packet is for; a gateway that things talk through is only the next hop."""
        return self.addresses.get(packet.destination, packet.destination_mac)

    def is_relayed(self, packet: Packet) -> bool:
        """Whether a gateway passes on what a thing sent: it was seen when the thing sent it."""
        return packet.source_mac in self.gateways and self.addresses.get(packet.source, packet.source_mac) not in (
            self.gateways
        )
