"""What several detectors ask of a packet, and how they write it down."""

from __future__ import annotations

from ipaddress import ip_address

from thingstead.protocols.packet.packet import Packet, TcpFlag

__all__ = ["ICMP", "ICMPV6", "TCP", "UDP", "accepts", "at", "foreign", "host", "is_group", "mac", "opens", "owner"]

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
_MAC_SIZE = 6
_OPENING = TcpFlag.SYN.value
_OPENING_OR_ANSWER = (TcpFlag.SYN | TcpFlag.ACK).value


def opens(packet: Packet) -> bool:
    """Whether it asks for a TCP connection (RFC 9293 §3.5)."""
    return packet.protocol == TCP and packet.flags & _OPENING_OR_ANSWER == _OPENING


def accepts(packet: Packet) -> bool:
    """Whether it takes up a TCP connection that was asked for."""
    return packet.protocol == TCP and packet.flags & _OPENING_OR_ANSWER == _OPENING_OR_ANSWER


def is_group(packet: Packet) -> bool:
    """Whether it is sent to more than one."""
    return bool(packet.destination_mac and packet.destination_mac[0] & 1)


def host(address: bytes) -> str:
    """A packed address in text."""
    return str(ip_address(address))


def at(address: bytes, port: int | None) -> str:
    """An address with a port in text."""
    return f"{host(address)} port {port}"


def mac(address: bytes) -> str:
    """A link-layer address in text, and the port behind which it was used by somebody else."""
    port = address[_MAC_SIZE:].decode(errors="replace")
    return address[:_MAC_SIZE].hex(":") + (f" behind {port}" if port else "")


def foreign(address: bytes, port: str) -> bytes:
    """Whoever uses a link-layer address behind a port where its owner is not: a sender of its own, and no thing."""
    return address[:_MAC_SIZE] + port.encode()


def owner(address: bytes) -> bytes:
    """Whose address that is, whoever uses it."""
    return address[:_MAC_SIZE]
