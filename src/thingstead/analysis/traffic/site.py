"""What a segment is like, out of its packets: who leads to the world, who answers for names (RFC 8520 §4).

A gateway is whom somebody sends packets to that are meant for a far address, and who brings that address's answers.
One side alone is no proof: anybody can write a far address on a packet.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from thingstead.protocols.mud.file import Prefix
from thingstead.protocols.mud.rule import DNS_CLASS, NTP_CLASS, Surroundings
from thingstead.protocols.packet.packet import Packet

__all__ = ["GATEWAY_CLASS", "PRIVATE", "Site"]

GATEWAY_CLASS = "urn:ietf:params:mud:gateway"
"""Not registered by RFC 8520 §17.7, and in every file that is made of traffic."""

PRIVATE: tuple[Prefix, ...] = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)
"""What is nobody's on the Internet (RFC 1918 §3, RFC 3927, RFC 4193 §3.1, RFC 4291 §2.5.6)."""

_UDP = 17
_SERVERS = {53: DNS_CLASS, 123: NTP_CLASS}
_NEIGHBOUR_ADVERTISEMENT = (136, 0)
_HERE = 255
"""Hop limit of what no router passed on (RFC 4861 §7.1.2)."""

_MOST_PENDING = 1024
_MOST_HOSTS = 4096


class Site:
    """Who is who on one segment.

    Args:
        local: prefixes in use there.
        controllers: what classes of controllers mean, where the owner says; what is seen here is added.
    """

    def __init__(
        self, local: tuple[Prefix, ...] = PRIVATE, *, controllers: Mapping[str, tuple[Prefix, ...]] | None = None
    ) -> None:
        self._local = local
        self._controllers = {name: set(prefixes) for name, prefixes in (controllers or {}).items()}
        self._sent: OrderedDict[tuple[bytes, bytes], bytes] = OrderedDict()
        self._addresses: dict[bytes, set[bytes]] = {}
        self._on_link: set[bytes] = set()
        self.gateways: set[bytes] = set()

    def see(self, packet: Packet) -> None:
        """Learn from a packet."""
        if packet.arp is not None and any(packet.arp.sender_ip):
            self._advertise(packet.arp.sender_mac, packet.arp.sender_ip)
        if packet.icmp == _NEIGHBOUR_ADVERTISEMENT and packet.hops == _HERE and len(packet.payload) >= 20:
            self._advertise(packet.source_mac, packet.payload[4:20])
        if not packet.family:
            return
        if self.is_local(packet.source):
            self._note(packet.source_mac, packet.source)
            if packet.protocol == _UDP and packet.source_port in _SERVERS and packet.destination_port:
                self._serve(_SERVERS[packet.source_port], packet.source)
        elif _is_far(packet.source) and self._sent.get((packet.source_mac, packet.source)) == packet.destination_mac:
            self.gateways.add(packet.source_mac)
        if _is_far(packet.destination) and not self.is_local(packet.destination):
            self._sent[packet.destination_mac, packet.destination] = packet.source_mac
            if len(self._sent) > _MOST_PENDING:
                self._sent.popitem(last=False)

    def is_local(self, address: bytes) -> bool:
        """Whether a packed address is one of the segment's."""
        found = ip_address(address)
        return address in self._on_link or any(
            found in prefix for prefix in self._local if prefix.version == found.version
        )

    def addresses(self, device: bytes) -> tuple[str, ...]:
        """Local addresses from which a link-layer address was heard, sorted; a gateway may be heard from many."""
        return tuple(sorted(str(ip_address(one)) for one in self._addresses.get(device, ())))

    def surroundings(self) -> Surroundings:
        """What MUD files leave open, as far as it shows."""
        leading = {one for device in self.gateways for one in self._addresses.get(device, ())}
        controllers = {name: set(prefixes) for name, prefixes in self._controllers.items()}
        controllers.setdefault(GATEWAY_CLASS, set()).update(ip_network(ip_address(one)) for one in leading)
        return Surroundings(
            local_networks=self._local,
            controllers={name: tuple(sorted(prefixes, key=str)) for name, prefixes in controllers.items()},
        )

    def _serve(self, name: str, address: bytes) -> None:
        served = self._controllers.setdefault(name, set())
        if len(served) < _MOST_HOSTS:
            served.add(ip_network(ip_address(address)))

    def _advertise(self, device: bytes, address: bytes) -> None:
        """Somebody says that an address is on this link, whatever prefix it is of: IPv6 at home is (RFC 4861 §4.4)."""
        if len(self._on_link) < _MOST_HOSTS:
            self._on_link.add(address)
        self._note(device, address)

    def _note(self, device: bytes, address: bytes) -> None:
        known = self._addresses.get(device)
        if known is None:
            if len(self._addresses) >= _MOST_HOSTS:
                return
            known = self._addresses[device] = set()
        if len(known) < _MOST_HOSTS:
            known.add(address)


def _is_far(address: bytes) -> bool:
    """Whether it is one host's address, and not this link's (RFC 6890)."""
    found = ip_address(address)
    return not (found.is_multicast or found.is_unspecified or found.is_link_local or address == b"\xff" * 4)
