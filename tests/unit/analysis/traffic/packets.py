"""Packets between a device, its gateway, a neighbour and the world, typed out."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from thingstead.analysis.traffic.flow import Flow
from thingstead.protocols.packet.packet import EtherType, Packet, TcpFlag

DEVICE, GATEWAY, NEIGHBOUR = (bytes.fromhex(text) for text in ("027700000001", "0277000000fe", "027700000002"))
EVERYBODY = b"\xff" * 6
LAMP, ROUTER, PHONE, CLOUD = (
    ip_address(text).packed for text in ("192.0.2.7", "192.0.2.1", "192.0.2.9", "198.51.100.9")
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
