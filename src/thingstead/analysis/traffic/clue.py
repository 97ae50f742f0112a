"""What a device says of itself in passing: to whom it gives its name, its software, its kind. None of it is proved.

Read are DHCP (RFC 2132), MUD URLs (RFC 8520 §10, §12), announcements of services (RFC 6763), UPnP discovery (UPnP
Device Architecture 2.0 §1), the headers of HTTP in clear, names that it looks up, and those by which it greets servers
(RFC 6066 §3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from thingstead.errors import ProtocolError, SecurityError
from thingstead.protocols.dhcp import v4
from thingstead.protocols.dns import message as dns
from thingstead.protocols.mud import announcement
from thingstead.protocols.packet.packet import Packet

__all__ = ["Clue", "Source", "clues"]

_TCP, _UDP = 6, 17
_LONGEST = 100
_MOST_HEADERS = 32


class Source(StrEnum):
    """Where it was said."""

    DHCP_NAME = "DHCP host name"
    DHCP_CLASS = "DHCP vendor class"
    MUD_URL = "MUD URL"
    SERVICE = "announced service"
    LOCAL_NAME = "local name"
    UPNP_SERVER = "UPnP server"
    UPNP_TYPE = "UPnP type"
    UPNP_NAME = "UPnP name"
    UPNP_PATH = "UPnP description"
    HTTP_AGENT = "HTTP agent"
    HTTP_SERVER = "HTTP server"
    ASKED_NAME = "looked up"
    TLS_NAME = "greeted over TLS"
    INTERFACE = "maker of its interface"


@dataclass(frozen=True, slots=True)
class Clue:
    """One thing said.

    Attributes:
        source: where.
        text: printable ASCII, cut to a bearable length.
    """

    source: Source
    text: str


def clues(packet: Packet) -> Iterator[Clue]:
    """What the sender of a packet says of itself in it; nothing where it cannot be read."""
    if not packet.payload:
        return
    try:
        said = announcement.announced(packet)
    except (ProtocolError, SecurityError):
        said = None
    if said is not None and said.mac == packet.source_mac:
        yield from _clue(Source.MUD_URL, said.url)
    if packet.protocol == _UDP:
        for port in {packet.source_port, packet.destination_port}:
            yield from _UDP_PORTS.get(port, _nothing)(packet)
    elif packet.protocol == _TCP:
        yield from _in_stream(packet.payload)


def _nothing(_packet: Packet) -> Iterator[Clue]:
    return iter(())


def _clue(source: Source, text: bytes | str) -> Iterator[Clue]:
    words = text if isinstance(text, str) else text.decode("ascii", "replace")
    shown = "".join(one if one.isascii() and one.isprintable() else "?" for one in words[:_LONGEST]).strip()
    if shown:
        yield Clue(source, shown)


_DHCP = {v4.Option.HOST_NAME: Source.DHCP_NAME, v4.Option.VENDOR_CLASS: Source.DHCP_CLASS}


def _in_dhcp(packet: Packet) -> Iterator[Clue]:
    """What a client says; a server speaks of others (RFC 2131 §3), and so does a relay."""
    if packet.destination_port != 67:
        return
    try:
        message = v4.decode(packet.payload)
    except ProtocolError:
        return
    for option, source in _DHCP.items():
        if option in message.options and not message.is_relayed:
            yield from _clue(source, message.options[option])


def _in_dns(packet: Packet) -> Iterator[Clue]:
    if packet.destination_port != 53:
        return
    try:
        message = dns.decode(packet.payload)
    except ProtocolError:
        return
    if not message.is_response and message.question is not None:
        yield from _clue(Source.ASKED_NAME, message.question.name)


_SERVICE_NAME = re.compile(r"(?:\A|\.)(_[a-z0-9-]+\._(?:tcp|udp))\.local\Z")


def _in_mdns(packet: Packet) -> Iterator[Clue]:
    """Only answers: what somebody asks for there is what it looks for, not what it is."""
    try:
        message = dns.decode(packet.payload)
    except ProtocolError:
        return
    for record in message.answers:
        service = _SERVICE_NAME.search(record.name)
        if service is not None:
            yield from _clue(Source.SERVICE, service[1])
        elif record.address is not None:
            yield from _clue(Source.LOCAL_NAME, record.name)


_UPNP = {
    b"server": Source.UPNP_SERVER,
    b"nt": Source.UPNP_TYPE,
    b"st": Source.UPNP_TYPE,
    b"usn": Source.UPNP_NAME,
    b"location": Source.UPNP_PATH,
}


def _in_ssdp(packet: Packet) -> Iterator[Clue]:
    """What is announced or answered; in a search the type is what is looked for."""
    if packet.payload.startswith((b"NOTIFY ", b"HTTP/")):
        yield from _headers(packet.payload, _UPNP)


_AUTHORITY = re.compile(rb"\A\s*https?://[^/]*/?")
"""Where a description is changes with each announcement of some devices; what it is called does not."""


def _headers(data: bytes, wanted: dict[bytes, Source]) -> Iterator[Clue]:
    for line in data.split(b"\r\n", _MOST_HEADERS)[1:_MOST_HEADERS]:
        name, colon, value = line.partition(b":")
        source = wanted.get(name.strip().lower())
        if colon and source is Source.UPNP_PATH:
            yield from _clue(source, _AUTHORITY.sub(b"", value, count=1))
        elif colon and source is not None:
            yield from _clue(source, value)


_METHODS = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"SUBSCRIBE ")
_AGENT = {b"user-agent": Source.HTTP_AGENT}
_SERVER = {b"server": Source.HTTP_SERVER}
_TLS_HANDSHAKE, _CLIENT_HELLO = 22, 1


def _in_stream(data: bytes) -> Iterator[Clue]:
    if data.startswith(b"HTTP/1."):
        yield from _headers(data, _SERVER)
    elif data.startswith(_METHODS):
        yield from _headers(data, _AGENT)
    elif len(data) > 5 and data[0] == _TLS_HANDSHAKE and data[5] == _CLIENT_HELLO:
        yield from _clue(Source.TLS_NAME, _server_name(data[5:]))


def _server_name(hello: bytes) -> bytes:
    """The name in a ClientHello (RFC 8446 §4.1.2, RFC 6066 §3); empty where it is not whole, or has none."""
    start = 38
    # Session id, cipher suites, compression methods: each with its length, of one, two and one octets.
    for width in (1, 2, 1):
        start += width + int.from_bytes(hello[start : start + width])
    start += 2
    while start + 4 <= len(hello):
        kind, size = int.from_bytes(hello[start : start + 2]), int.from_bytes(hello[start + 2 : start + 4])
        body = hello[start + 4 : start + 4 + size]
        if kind == 0:
            name = body[5:]
            return name if len(name) == int.from_bytes(body[3:5]) else b""
        start += 4 + size
    return b""


_UDP_PORTS: dict[int | None, Callable[[Packet], Iterator[Clue]]] = {
    53: _in_dns,
    67: _in_dhcp,
    1900: _in_ssdp,
    5353: _in_mdns,
}
