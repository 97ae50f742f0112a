"""Packets between a device, its gateway, a neighbour and the world, typed out."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address

from thingstead.analysis.traffic.flow import Flow
from thingstead.protocols.dns.message import Question, Rcode, RecordType, encode_query, encode_response
from thingstead.protocols.packet.packet import EtherType, Packet, TcpFlag

DEVICE, GATEWAY, NEIGHBOUR = (bytes.fromhex(text) for text in ("027700000001", "0277000000fe", "027700000002"))
EVERYBODY = b"\xff" * 6
LAMP, ROUTER, PHONE, CLOUD = (
    ip_address(text).packed for text in ("10.77.0.7", "10.77.0.1", "10.77.0.9", "198.51.100.9")
)
TCP, UDP, ICMP = 6, 17, 1
SYN, SYN_ACK, ACK, FIN = TcpFlag.SYN, TcpFlag.SYN | TcpFlag.ACK, TcpFlag.ACK, TcpFlag.FIN | TcpFlag.ACK
_MACS = {LAMP: DEVICE, PHONE: NEIGHBOUR}


def packet(
    source: bytes,
    destination: bytes,
    source_port: int | None = None,
    destination_port: int | None = None,
    *,
    at: float = 0.0,
    protocol: int = UDP,
    flags: int = 0,
    icmp: tuple[int, int] | None = None,
    payload: bytes = b"",
    to_mac: bytes | None = None,
) -> Packet:
    """IPv4 between hosts of the segment, or through its gateway."""
    return Packet(
        at=at,
        length=60 + len(payload),
        source_mac=_MACS.get(source, GATEWAY),
        destination_mac=to_mac or _MACS.get(destination, GATEWAY),
        ethertype=EtherType.IPV4,
        family=4,
        source=source,
        destination=destination,
        protocol=protocol,
        source_port=source_port,
        destination_port=destination_port,
        flags=flags,
        icmp=icmp,
        payload=payload,
    )


def tcp(source: bytes, destination: bytes, ports: tuple[int, int], flags: int, *, at: float = 0.0) -> Packet:
    return packet(source, destination, *ports, at=at, protocol=TCP, flags=flags)


_FLOW = Flow(
    device=DEVICE,
    outbound=True,
    is_whole=True,
    remote=CLOUD,
    names=(),
    ethertype=EtherType.IPV4,
    protocol=TCP,
    remote_port=443,
    device_port=40000,
    icmp=None,
    first=0.0,
    last=1.0,
    packets_out=3,
    octets_out=180,
    packets_in=2,
    octets_in=120,
)


def flow(**changes: object) -> Flow:
    """The device asks the cloud by HTTPS, but for `changes`."""
    return replace(_FLOW, **changes)  # type: ignore[arg-type]  # each test names fields of the right type


def look_up(name: str, address: bytes, *, at: float = 0.0, ttl: int = 60, number: int = 7) -> list[Packet]:
    """The lamp asks its router for a name, and gets an address."""
    query = encode_query(Question(name, RecordType.A), id=number)
    answer = encode_response(query, rcode=Rcode.NOERROR, addresses=(ip_address(address),), ttl=ttl)
    return [
        packet(LAMP, ROUTER, 5000, 53, at=at, payload=query),
        packet(ROUTER, LAMP, 53, 5000, at=at, payload=answer),
    ]


def frame(one: Packet) -> bytes:
    """An IPv4 packet of UDP, TCP or ICMP as it is on the wire, checksums left out."""
    if one.protocol == TCP:
        head = struct.pack("!HHIIBBHHH", one.source_port, one.destination_port, 0, 0, 5 << 4, one.flags, 0, 0, 0)
    elif one.protocol == UDP:
        head = struct.pack("!HHHH", one.source_port, one.destination_port, 8 + len(one.payload), 0)
    else:
        head = bytes([*(one.icmp or (0, 0)), 0, 0])
    body = head + one.payload
    total = 20 + len(body)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, total, 0, 0, 64, one.protocol, 0, one.source, one.destination)
    return one.destination_mac + one.source_mac + one.ethertype.to_bytes(2) + ip + body


def capture(packets: Iterable[Packet]) -> bytes:
    """A pcap file."""
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    records = []
    for one in packets:
        data = frame(one)
        records.append(struct.pack("<IIII", int(one.at), int(one.at % 1 * 1e6), len(data), len(data)) + data)
    return header + b"".join(records)


def client_hello(name: bytes = b"cloud.example", *, extension: int = 0) -> bytes:
    """A greeting over TLS (RFC 8446 §4.1.2) in one record."""
    entry = b"\0" + len(name).to_bytes(2) + name
    body = len(entry).to_bytes(2) + entry
    extensions = extension.to_bytes(2) + len(body).to_bytes(2) + body
    hello = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0" + len(extensions).to_bytes(2) + extensions
    handshake = b"\x01" + len(hello).to_bytes(3) + hello
    return b"\x16\x03\x01" + len(handshake).to_bytes(2) + handshake
