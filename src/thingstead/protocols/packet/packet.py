"""One frame of somebody else's, as far as its headers tell who speaks to whom (RFC 791, 8200, 826, 768, 9293, 4443)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from thingstead.errors import DecodeError, UnsupportedError

__all__ = ["Arp", "EtherType", "Link", "Packet", "TcpFlag", "decode_frame"]

_ICMP, _TCP, _UDP, _ICMPV6 = 1, 6, 17, 58
_MOST_TAGS = 2
_MOST_EXTENSIONS = 8
_NO_MAC = b""
_FRAGMENT = 44
_AUTHENTICATION = 51


class EtherType(IntEnum):
    """What a frame carries, of the numbers that are looked into or named here (IEEE 802 numbers)."""

    NONE = 0
    IPV4 = 0x0800
    ARP = 0x0806
    IPV6 = 0x86DD
    LLDP = 0x88CC


class Link(IntEnum):
    """Link-layer header types of captures (draft-ietf-opsawg-pcaplinktype §2.1)."""

    NULL = 0
    ETHERNET = 1
    RAW = 101
    LINUX_SLL = 113
    IPV4 = 228
    IPV6 = 229
    LINUX_SLL2 = 276


class TcpFlag(IntFlag):
    """Control bits (RFC 9293 §3.1)."""

    FIN = 1
    SYN = 2
    RST = 4
    PSH = 8
    ACK = 16
    URG = 32


@dataclass(frozen=True, slots=True)
class Arp:
    """A question or an answer about who has an address (RFC 826).

    Attributes:
        operation: 1 request, 2 reply.
        sender_mac: six octets.
        sender_ip: four octets; zeros in a probe (RFC 5227 §1.1).
        target_mac: six octets.
        target_ip: four octets.
    """

    operation: int
    sender_mac: bytes
    sender_ip: bytes
    target_mac: bytes
    target_ip: bytes


@dataclass(slots=True)
class Packet:
    """What one frame says of itself; none of it is proved. Made once for each frame, so not frozen (ADR 0012).

    Attributes:
        at: when it was seen, in seconds since 1970.
        length: octets on the wire, link header included; more than were captured, maybe.
        source_mac: six octets; empty where the capture has no link layer.
        destination_mac: likewise.
        ethertype: after tags; 0 for a frame of IEEE 802.3 with a length.
        family: 4, 6, or 0 where there is no IP.
        source: packed address, empty where there is none.
        destination: likewise.
        protocol: of IP, after extension headers; None where there is none, or it was cut off.
        source_port: of TCP and UDP; None also in all but the first fragment.
        destination_port: likewise.
        flags: of TCP, see `TcpFlag`; 0 elsewhere.
        sequence: of TCP; 0 elsewhere.
        icmp: type and code; None for other protocols.
        hops: time to live or hop limit; 0 where there is none.
        fragment: offset of this fragment in octets.
        is_partial: part of a larger packet that was fragmented.
        arp: for `EtherType.ARP`.
        payload: of UDP, TCP or ICMP after its header; of other IP protocols, and of frames without IP, what follows
            the last header understood. As much as was captured, without the padding of short frames.
    """

    at: float
    length: int
    source_mac: bytes = _NO_MAC
    destination_mac: bytes = _NO_MAC
    ethertype: int = EtherType.NONE
    family: int = 0
    source: bytes = b""
    destination: bytes = b""
    protocol: int | None = None
    source_port: int | None = None
    destination_port: int | None = None
    flags: int = 0
    sequence: int = 0
    icmp: tuple[int, int] | None = None
    hops: int = 0
    fragment: int = 0
    is_partial: bool = False
    arp: Arp | None = None
    payload: bytes = b""


def decode_frame(data: bytes, *, at: float, length: int | None = None, link: int = Link.ETHERNET) -> Packet:
    """Decode the headers of one frame.

    A header that the capture cut off leaves its fields unset; one that contradicts itself is refused.

    Args:
        data: the frame as captured.
        at: when, in seconds since 1970.
        length: octets on the wire, where the capture kept fewer.
        link: see `Link`.

    Raises:
        DecodeError: no whole link header, or a length that contradicts another.
        UnsupportedError: another link layer.
    """
    decode = _LINKS.get(link)
    if decode is None:
        raise UnsupportedError(f"a capture of link-layer type {link}, which is not read here", reason="link-layer")
    packet = Packet(at, len(data) if length is None else length)
    decode(packet, data)
    return packet


def _decode_ethernet(packet: Packet, data: bytes) -> None:
    if len(data) < 14:
        raise _short("Ethernet header", 14, data)
    packet.destination_mac, packet.source_mac = data[:6], data[6:12]
    ethertype, start = int.from_bytes(data[12:14]), 14
    for _ in range(_MOST_TAGS):
        if ethertype not in (0x8100, 0x88A8):
            break
        if len(data) < start + 4:
            raise _short("VLAN tag", 4, data[start:])
        ethertype, start = int.from_bytes(data[start + 2 : start + 4]), start + 4
    packet.ethertype = ethertype if ethertype >= 0x0600 else EtherType.NONE
    _decode_network(packet, data, start)


def _decode_linux(packet: Packet, data: bytes) -> None:
    """The cooked capture keeps one address: the sender's."""
    if len(data) < 16:
        raise _short("cooked header", 16, data)
    size = int.from_bytes(data[4:6])
    packet.source_mac = data[6:12] if size == 6 else _NO_MAC
    packet.ethertype = int.from_bytes(data[14:16])
    _decode_network(packet, data, 16)


def _decode_linux_2(packet: Packet, data: bytes) -> None:
    if len(data) < 20:
        raise _short("cooked header, version 2", 20, data)
    packet.source_mac = data[12:18] if data[11] == 6 else _NO_MAC
    packet.ethertype = int.from_bytes(data[:2])
    _decode_network(packet, data, 20)


def _decode_null(packet: Packet, data: bytes) -> None:
    """Four octets of an address family, in the byte order of whoever captured: IP's own version says as much."""
    if len(data) < 4:
        raise _short("loopback header", 4, data)
    _decode_raw(packet, data, 4)


def _decode_raw(packet: Packet, data: bytes, start: int = 0) -> None:
    if len(data) <= start:
        raise _short("IP header", 1, b"")
    version = data[start] >> 4
    packet.ethertype = {4: EtherType.IPV4, 6: EtherType.IPV6}.get(version, EtherType.NONE)
    _decode_network(packet, data, start)


def _decode_network(packet: Packet, data: bytes, start: int) -> None:
    if packet.ethertype == EtherType.IPV4:
        _decode_ipv4(packet, data, start)
    elif packet.ethertype == EtherType.IPV6:
        _decode_ipv6(packet, data, start)
    elif packet.ethertype == EtherType.ARP:
        _decode_arp(packet, data, start)
    else:
        packet.payload = data[start:]


def _decode_arp(packet: Packet, data: bytes, start: int) -> None:
    body = data[start : start + 28]
    if len(body) < 28 or body[:6] != b"\0\1\x08\0\x06\x04":
        raise DecodeError("expected ARP for Ethernet and IPv4, 28 octets", spec="RFC 826", reason="arp")
    packet.arp = Arp(int.from_bytes(body[6:8]), body[8:14], body[14:18], body[18:24], body[24:28])


_IPV4 = struct.Struct("!BxHxxHBBxx4s4s")


def _decode_ipv4(packet: Packet, data: bytes, start: int) -> None:
    if len(data) < start + 20:
        raise _short("IPv4 header", 20, data[start:])
    first, total, fragment, packet.hops, packet.protocol, packet.source, packet.destination = _IPV4.unpack_from(
        data, start
    )
    header = (first & 15) * 4
    if first >> 4 != 4 or header < 20:
        raise DecodeError(f"expected IPv4 and a header of 20 octets or more, got {first:#x}", spec="RFC 791 §3.1")
    # Whoever captures before the card cut a large segment up sees a total of zero.
    total = total or len(data) - start
    if total < header:
        raise DecodeError(f"expected a total length of {header} or more, got {total}", spec="RFC 791 §3.1")
    packet.family = 4
    packet.fragment = (fragment & 0x1FFF) * 8
    packet.is_partial = bool(fragment & 0x3FFF)
    _decode_transport(packet, data[start + header : start + total])


_IPV6 = struct.Struct("!4sHBB16s16s")


def _decode_ipv6(packet: Packet, data: bytes, start: int) -> None:
    if len(data) < start + 40:
        raise _short("IPv6 header", 40, data[start:])
    first, size, protocol, packet.hops, packet.source, packet.destination = _IPV6.unpack_from(data, start)
    if first[0] >> 4 != 6:
        raise DecodeError(f"expected IPv6, got version {first[0] >> 4}", spec="RFC 8200 §3")
    packet.family = 6
    body = data[start + 40 : start + 40 + size] if size else data[start + 40 :]
    packet.protocol, body = _skip_extensions(packet, protocol, body)
    _decode_transport(packet, body)


def _skip_extensions(packet: Packet, protocol: int, body: bytes) -> tuple[int | None, bytes]:
    """The transport header behind extension headers (RFC 8200 §4); None where the capture ends before it."""
    for _ in range(_MOST_EXTENSIONS):
        if protocol not in _EXTENSIONS:
            return protocol, body
        if len(body) < 8:
            return None, b""
        if protocol == _FRAGMENT:
            offset = int.from_bytes(body[2:4])
            packet.fragment, packet.is_partial = offset & 0xFFF8, True
            size = 8
        else:
            size = (body[1] + 2) * 4 if protocol == _AUTHENTICATION else (body[1] + 1) * 8
        protocol, body = body[0], body[size:]
        if packet.fragment:
            return protocol, body
    raise DecodeError(f"expected at most {_MOST_EXTENSIONS} extension headers", spec="RFC 8200 §4", reason="extensions")


_EXTENSIONS = frozenset({0, 43, _FRAGMENT, _AUTHENTICATION, 60, 135})


def _decode_transport(packet: Packet, body: bytes) -> None:
    decode = None if packet.fragment else _TRANSPORTS.get(packet.protocol)
    if decode is None:
        packet.payload = body
    else:
        decode(packet, body)


def _decode_udp(packet: Packet, body: bytes) -> None:
    if len(body) < 8:
        return
    packet.source_port, packet.destination_port, size = struct.unpack_from("!HHH", body)
    if size and size < 8:
        raise DecodeError(f"expected a UDP length of 8 or more, got {size}", spec="RFC 768")
    packet.payload = body[8 : size or None]


def _decode_tcp(packet: Packet, body: bytes) -> None:
    if len(body) < 14:
        if len(body) >= 4:
            packet.source_port, packet.destination_port = struct.unpack_from("!HH", body)
        return
    packet.source_port, packet.destination_port, packet.sequence, offset, packet.flags = struct.unpack_from(
        "!HHI4xBB", body
    )
    header = (offset >> 4) * 4
    if header < 20:
        raise DecodeError(f"expected a TCP header of 20 octets or more, got {header}", spec="RFC 9293 §3.1")
    packet.payload = body[header:]


def _decode_icmp(packet: Packet, body: bytes) -> None:
    if len(body) >= 4:
        packet.icmp = body[0], body[1]
        packet.payload = body[4:]


def _short(what: str, size: int, data: bytes) -> DecodeError:
    return DecodeError(f"expected an {what} of {size} octets, got {len(data)}", reason="truncated")


_TRANSPORTS: dict[int | None, Callable[[Packet, bytes], None]] = {
    _ICMP: _decode_icmp,
    _TCP: _decode_tcp,
    _UDP: _decode_udp,
    _ICMPV6: _decode_icmp,
}
_LINKS: dict[int, Callable[[Packet, bytes], None]] = {
    Link.NULL: _decode_null,
    Link.ETHERNET: _decode_ethernet,
    Link.RAW: _decode_raw,
    Link.LINUX_SLL: _decode_linux,
    Link.IPV4: _decode_raw,
    Link.IPV6: _decode_raw,
    Link.LINUX_SLL2: _decode_linux_2,
}
