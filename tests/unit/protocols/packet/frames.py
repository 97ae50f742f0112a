"""Frames typed out field by field."""

from __future__ import annotations

import struct
from ipaddress import ip_address

THING, OTHER = bytes.fromhex("027700000001"), bytes.fromhex("027700000002")


def ethernet(body: bytes, ethertype: int, *, tags: bytes = b"") -> bytes:
    return OTHER + THING + tags + ethertype.to_bytes(2) + body


def ipv4(body: bytes, protocol: int, *, fragment: int = 0, options: bytes = b"", total: int | None = None) -> bytes:
    size = 20 + len(options)
    total = size + len(body) if total is None else total
    first = 0x40 | size // 4
    source, destination = ip_address("192.0.2.7").packed, ip_address("198.51.100.9").packed
    head = struct.pack("!BBHHHBBH4s4s", first, 0, total, 0, fragment, 64, protocol, 0, source, destination)
    return head + options + body


def ipv6(body: bytes, protocol: int) -> bytes:
    source, destination = ip_address("2001:db8::7").packed, ip_address("2001:db8::9").packed
    return struct.pack("!IHBB16s16s", 6 << 28, len(body), protocol, 255, source, destination) + body


def udp(payload: bytes, *, size: int | None = None) -> bytes:
    return struct.pack("!HHHH", 5683, 53, 8 + len(payload) if size is None else size, 0) + payload


def tcp(payload: bytes, *, flags: int = 2, words: int = 5) -> bytes:
    head = struct.pack("!HHIIBBHHH", 40000, 443, 7, 0, words << 4, flags, 0, 0, 0)
    return head + bytes((words - 5) * 4 if words > 5 else 0) + payload


def arp(operation: int) -> bytes:
    address = ip_address("192.0.2.7").packed
    return bytes.fromhex("0001080006 04".replace(" ", "")) + operation.to_bytes(2) + THING + address + OTHER + address


def pcap(*frames: bytes, link: int = 1, nanoseconds: bool = False, order: str = "<") -> bytes:
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    records = [struct.pack(f"{order}IIII", 10, 500_000, len(one), len(one)) + one for one in frames]
    return struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link) + b"".join(records)


def block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def pcapng(*frames: bytes, options: bytes = b"", link: int = 1) -> bytes:
    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    interface = block(1, struct.pack("<HHI", link, 0, 0) + options)
    packets = [block(6, struct.pack("<IIIII", 0, 0, 1_500_000, len(one), len(one)) + one) for one in frames]
    return section + interface + b"".join(packets)
