"""Packets of strangers and the files that they are captured in."""

from __future__ import annotations

import io
from functools import partial

from tests.fuzz.target import Target, attempt, ensure
from tests.unit.protocols.packet.frames import arp, ethernet, ipv4, ipv6, pcap, pcapng, tcp, udp
from thingstead.protocols.packet.capture import Limits, read_capture
from thingstead.protocols.packet.packet import Packet, decode_frame

_FRAMES = (
    ethernet(ipv4(udp(b"asked"), 17), 0x0800),
    ethernet(ipv6(bytes([6, 0]) + bytes(6) + tcp(b"hello"), 0), 0x86DD),
    ethernet(arp(2), 0x0806, tags=bytes.fromhex("81000007")),
)
_LIMITS = Limits(max_frame=4096, max_frames=64, max_interfaces=4)


def _capture(data: bytes) -> None:
    frames = []

    def read() -> None:
        for frame in read_capture(io.BytesIO(data).read, limits=_LIMITS):
            frames.append(frame)
            attempt(partial(decode_frame, frame.data, at=frame.at, length=frame.length, link=frame.link))

    attempt(read)
    ensure(len(frames) <= _LIMITS.max_frames, "no more frames than the limit")
    ensure(sum(len(frame.data) for frame in frames) <= len(data), "no more octets than were read")


def _frame(data: bytes) -> None:
    packet: Packet | None = attempt(lambda: decode_frame(data, at=0.0))
    if packet is not None:
        ensure(len(packet.payload) <= len(data), "a payload is part of its frame")
        ensure(len(packet.source) == {0: 0, 4: 4, 6: 16}[packet.family], "an address is as long as its family says")


TARGETS = (
    Target("packet-frame", _frame, _FRAMES),
    Target("packet-capture", _capture, (pcap(*_FRAMES), pcapng(*_FRAMES))),
)
