"""Frames as a sender makes them that no socket would: forged addresses, answers to questions nobody asked."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

__all__ = [
    "BROADCAST",
    "arp_reply",
    "dhcp_offer",
    "dns_answer",
    "dns_query",
    "ethernet",
    "neighbour_advertisement",
    "oscore_request",
    "router_advertisement",
    "tcp_syn",
    "udp",
]

_Address = IPv4Address | IPv6Address
BROADCAST = b"\xff" * 6
_ALL_NODES_MAC = bytes.fromhex("333300000001")
_ALL_NODES = IPv6Address("ff02::1")
_ARP, _IPV4, _IPV6 = 0x0806, 0x0800, 0x86DD
_TCP, _UDP, _ICMPV6 = 6, 17, 58
_HOPS = 64
_ON_LINK_HOPS = 255
"""What neighbour discovery must have, so that no router brought it (RFC 4861 §6.1.2)."""


def ethernet(source: bytes, destination: bytes, ethertype: int, body: bytes) -> bytes:
    """A frame, as short as it comes."""
    return destination + source + ethertype.to_bytes(2, "big") + body


def arp_reply(mac: bytes, *, claimed: IPv4Address, to_mac: bytes, to: IPv4Address) -> bytes:
    """Say that `claimed` is at `mac`, asked or not (RFC 826)."""
    body = struct.pack("!HHBBH", 1, _IPV4, 6, 4, 2) + mac + claimed.packed + to_mac + to.packed
    return ethernet(mac, to_mac, _ARP, body)


def udp(
    source: tuple[_Address, int], destination: tuple[_Address, int], payload: bytes, *, macs: tuple[bytes, bytes]
) -> bytes:
    """A datagram from whatever address one likes; `macs` are the sender's and the next hop's."""
    head = struct.pack("!HHH", source[1], destination[1], 8 + len(payload))
    total = _checksum(_pseudo(source[0], destination[0], _UDP, 8 + len(payload)) + head + b"\0\0" + payload)
    return _ip(source[0], destination[0], _UDP, head + struct.pack("!H", total or 0xFFFF) + payload, macs=macs)


def tcp_syn(
    source: tuple[_Address, int], destination: tuple[_Address, int], *, sequence: int, macs: tuple[bytes, bytes]
) -> bytes:
    """The first segment of a connection that its sender keeps no state of (RFC 9293 §3.5)."""
    head = struct.pack("!HHIIBBHHH", source[1], destination[1], sequence, 0, 5 << 4, 0x02, 14_600, 0, 0)
    total = _checksum(_pseudo(source[0], destination[0], _TCP, len(head)) + head)
    return _ip(source[0], destination[0], _TCP, head[:16] + struct.pack("!H", total) + head[18:], macs=macs)


def router_advertisement(mac: bytes, *, source: IPv6Address, prefix: IPv6Address) -> bytes:
    """Offer to be everybody's router, for a prefix of /64 (RFC 4861 §4.2, §4.6.2)."""
    option = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 86_400, 14_400, 0) + prefix.packed
    body = struct.pack("!BBHBBHII", 134, 0, 0, _HOPS, 0, 1800, 0, 0) + b"\x01\x01" + mac + option
    return _icmpv6(source, _ALL_NODES, body, macs=(mac, _ALL_NODES_MAC))


def neighbour_advertisement(mac: bytes, *, claimed: IPv6Address) -> bytes:
    """Tell all nodes that `claimed` is at `mac`, and to override what they know (RFC 4861 §4.4)."""
    body = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + claimed.packed + b"\x02\x01" + mac
    return _icmpv6(claimed, _ALL_NODES, body, macs=(mac, _ALL_NODES_MAC))


def dhcp_offer(mac: bytes, *, server: IPv4Address, offered: IPv4Address, transaction: int) -> bytes:
    """Offer an address, with oneself as router and resolver (RFC 2131 §4.3.1; options of RFC 2132)."""
    fixed = struct.pack("!BBBBIHH", 2, 1, 6, 0, transaction, 0, 0x8000)
    addresses = bytes(4) + offered.packed + server.packed + bytes(4)
    options = b"\x35\x01\x02" + b"".join(bytes([code, 4]) + server.packed for code in (54, 3, 6)) + b"\xff"
    payload = fixed + addresses + bytes(16 + 64 + 128) + bytes.fromhex("63825363") + options
    everybody = IPv4Address("255.255.255.255")
    return udp((server, 67), (everybody, 68), payload, macs=(mac, BROADCAST))


def dns_query(name: str, *, number: int, kind: int = 1) -> bytes:
    """Ask for records of a type, recursion desired (RFC 1035 §4.1)."""
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + _name(name) + struct.pack("!HH", kind, 1)


def dns_answer(query: bytes, address: IPv4Address | None, *, lifetime: int = 300) -> bytes:
    """Answer a question with one address, or say that there is no such name (RFC 1035 §4.1)."""
    number, question = query[:2], query[12:]
    if address is None:
        return number + struct.pack("!5H", 0x8183, 1, 0, 0, 0) + question
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, lifetime, 4) + address.packed
    return number + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + question + record


def oscore_request(number: int, *, kid: int, partial_iv: int, ciphertext: bytes) -> bytes:
    """What reads like a non-confirmable request under OSCORE from outside (RFC 8613 §6.1, RFC 7252 §3)."""
    iv = partial_iv.to_bytes((partial_iv.bit_length() + 7) // 8 or 1, "big")
    option = bytes([8 | len(iv)]) + iv + bytes([kid])
    return (
        b"\x50\x02" + (number & 0xFFFF).to_bytes(2, "big") + bytes([0x90 | len(option)]) + option + b"\xff" + ciphertext
    )


def _name(name: str) -> bytes:
    labels = name.encode("ascii").split(b".")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _icmpv6(source: IPv6Address, destination: IPv6Address, body: bytes, *, macs: tuple[bytes, bytes]) -> bytes:
    total = _checksum(_pseudo(source, destination, _ICMPV6, len(body)) + body)
    return _ip(
        source, destination, _ICMPV6, body[:2] + struct.pack("!H", total) + body[4:], macs=macs, hops=_ON_LINK_HOPS
    )


def _ip(
    source: _Address,
    destination: _Address,
    protocol: int,
    body: bytes,
    *,
    macs: tuple[bytes, bytes],
    hops: int = _HOPS,
) -> bytes:
    if source.version == 6:
        head = struct.pack("!IHBB", 6 << 28, len(body), protocol, hops) + source.packed + destination.packed
        return ethernet(*macs, _IPV6, head + body)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, hops, protocol, 0)
    head += source.packed + destination.packed
    return ethernet(*macs, _IPV4, head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + body)


def _pseudo(source: _Address, destination: _Address, protocol: int, size: int) -> bytes:
    """What a checksum covers besides the segment (RFC 9293 §3.1, RFC 8200 §8.1)."""
    tail = struct.pack("!BBH", 0, protocol, size) if source.version == 4 else struct.pack("!II", size, protocol)
    return source.packed + destination.packed + tail


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2))
    total: int = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
