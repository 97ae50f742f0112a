"""MUD URLs that devices emit: DHCPv4, DHCPv6 and LLDP (RFC 8520 §10, §12), out of packets that somebody overheard."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from thingstead.errors import UntrustedError
from thingstead.protocols.dhcp import v4, v6
from thingstead.protocols.lldp import frame
from thingstead.protocols.mud.url import decode_string
from thingstead.protocols.packet.packet import EtherType, Packet

__all__ = ["Announcement", "Carrier", "announced"]


class Carrier(StrEnum):
    """By what it came."""

    DHCPV4 = "dhcpv4"
    DHCPV6 = "dhcpv6"
    LLDP = "lldp"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What whoever sends from an interface says; it proves no more than that interface's address does (§2).

    Attributes:
        mac: of the sender.
        url: where its MUD file is, as it says.
        carrier: by what it said so.
    """

    mac: bytes
    url: str
    carrier: Carrier


def announced(packet: Packet) -> Announcement | None:
    """The MUD URL in a packet; None where it says none, as most do.

    Raises:
        DecodeError: outside of a format.
        UnsupportedError: a message of a server, or from another link.
        UntrustedError: it speaks for another interface than it was sent from.
    """
    said: bytes | None = None
    mac, carrier = packet.source_mac, Carrier.LLDP
    if packet.ethertype == EtherType.LLDP:
        said = frame.decode(packet.payload).of(_IANA, _MUD)
    elif (packet.protocol, packet.family, packet.destination_port) == (_UDP, 4, _DHCPV4):
        four, carrier = v4.decode(packet.payload), Carrier.DHCPV4
        said, mac = four.options.get(v4.Option.MUD_URL), _sender(four.mac, packet.source_mac, four.is_relayed)
    elif (packet.protocol, packet.family, packet.destination_port) == (_UDP, 6, _DHCPV6):
        six, carrier = v6.decode(packet.payload), Carrier.DHCPV6
        said = six.options.get(v6.Option.MUD_URL)
        # An identifier is made once and kept, by whatever interface it was made: of the sender it says nothing.
        mac = six.mac if six.is_relayed else packet.source_mac
    return None if said is None or not mac else Announcement(mac, decode_string(said), carrier)


_UDP, _DHCPV4, _DHCPV6 = 17, 67, 547
_IANA, _MUD = b"\x00\x00\x5e", 1


def _sender(said: bytes, seen: bytes, is_relayed: bool) -> bytes:
    """Who sends for another would choose what the other may do."""
    if not is_relayed and said != seen:
        raise UntrustedError(
            f"a DHCP message of {said.hex(':')} was sent by {seen.hex(':')}", spec="RFC 8520 §16", reason="mac-mismatch"
        )
    return said
