"""Packets of strangers, and captures in files."""

from __future__ import annotations

import io

from tests.properties.decoder import Decoder
from tests.unit.protocols.packet.frames import arp, ethernet, ipv4, ipv6, pcap, pcapng, tcp, udp
from thingstead.protocols.packet import capture, packet

_FRAMES = (
    ethernet(ipv4(udp(b"asked"), 17), 0x0800),
    ethernet(ipv6(tcp(b"hello"), 6), 0x86DD),
    ethernet(arp(2), 0x0806),
)

DECODERS = (
    Decoder(
        "packet.packet.decode_frame",
        lambda data: packet.decode_frame(data, at=0.0),
        tuple(frame.hex() for frame in _FRAMES),
    ),
    Decoder(
        "packet.capture.read_capture",
        lambda data: list(capture.read_capture(io.BytesIO(data).read)),
        (pcap(*_FRAMES).hex(), pcapng(*_FRAMES).hex()),
    ),
)
