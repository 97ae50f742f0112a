"""Detectors read packets of anybody: runs of frames in which one octet changes, each seen by all of them."""

from __future__ import annotations

from tests.fuzz.target import Cursor, Target, attempt, ensure
from tests.unit.protocols.packet.frames import arp, ethernet, ipv4, ipv6, tcp, udp
from thingstead.analysis.detectors.panel import Limits, Panel
from thingstead.analysis.detectors.scene import Scene
from thingstead.identifier import thing_id_from_random
from thingstead.protocols.packet.packet import decode_frame

_THING, _GATEWAY = bytes.fromhex("020000000001"), bytes.fromhex("020000000003")
_ID = thing_id_from_random(bytes(10))
_RUNS, _LONGEST = 8, 64


def _detectors(data: bytes) -> None:
    """Whatever frames say, detectors tell of it in few words, and raise nothing."""
    cursor, now = Cursor(data), 1000.0
    scene = Scene(gateways=frozenset({_GATEWAY}), things={_THING: _ID}, intervals={_ID: 60.0}, installs={_ID: 1001.0})
    panel = Panel(scene, limits=Limits(quiet=0.0, max_strangers=4))
    for _ in range(_RUNS):
        if cursor.is_empty:
            break
        times, step, place = cursor.number(_LONGEST), cursor.number(256) / 8, cursor.number(256)
        frame = bytearray(cursor.bytes(cursor.number(512)))
        for _ in range(times):
            now += step
            if place < len(frame):
                frame[place] = (frame[place] + 1) % 256
            _see(panel, bytes(frame), now)


def _see(panel: Panel, frame: bytes, now: float) -> None:
    packet = attempt(lambda: decode_frame(frame, at=now))
    if packet is None:
        return
    for one in (*panel.see(packet), *panel.tick(now)):
        ensure(len(one.evidence) <= 8 and len(one.explanation) < 500, "more was said than anybody reads")
        ensure(one.first <= one.last <= now, "it did not end when it was told")


def _run(frame: bytes, place: int, *, times: int = 60, step: int = 1) -> bytes:
    """A run of a frame of which an octet changes."""
    return bytes([times, step, place]) + len(frame).to_bytes(2) + frame


_SYN = ethernet(ipv4(tcp(b"hello"), 6), 0x0800)
_UDP = ethernet(ipv4(udp(b"asked"), 17), 0x0800)
_IPV6 = ethernet(ipv6(tcp(b"GET /" + b"x" * 200), 6), 0x86DD)

TARGETS = (
    Target(
        "detectors",
        _detectors,
        (
            _run(_SYN, 33) + _run(_SYN, 37),
            _run(_UDP, 30) + _run(ethernet(arp(1), 0x0806), 41),
            _run(_IPV6, 21) + _run(_SYN, 22, step=255),
        ),
    ),
)
