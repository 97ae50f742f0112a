"""Much leaves for a place that nobody looked up, and little comes back (RFC 8576 §3, threat 5; §5.9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from thingstead.analysis.detectors.detector import Detection, Detector, Peer
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import host
from thingstead.analysis.detectors.window import PerKey
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _MOST, _FACTOR = 60.0, 256 * 1024, 10
_HEADERS = 54
"""Of Ethernet, IPv4 and TCP without options."""


@dataclass(slots=True)
class _Count:
    since: float = 0.0
    octets_out: int = 0
    octets_in: int = 0


class _Upload(Detector):
    name = "upload"
    spec = "RFC 8576 §3"
    rule = f"{_MOST >> 10} KiB within {_SECONDS:.0f} s to one outside address that no answer named, a tenth of it back"

    def __init__(self) -> None:
        self._counts: PerKey[tuple[bytes, bytes], _Count] = PerKey(_Count)

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if not packet.payload or not packet.family:
            return
        if scene.is_outside(packet.source):
            if (scene.receiver(packet), packet.source) in self._counts:
                self._counts[scene.receiver(packet), packet.source].octets_in += _size(packet)
        elif scene.is_outside(packet.destination) and packet.source_mac not in scene.gateways:
            count = self._counts[packet.source_mac, packet.destination]
            if packet.at - count.since > _SECONDS:
                count.since, count.octets_out, count.octets_in = packet.at, 0, 0
            count.octets_out += _size(packet)
            if count.octets_out >= _MOST and count.octets_in * _FACTOR <= count.octets_out:
                remote, names = host(packet.destination), scene.names.names_of(packet.destination, packet.at)
                if not names:
                    shown = f"{count.octets_out} octets to {remote}, {count.octets_in} back"
                    why = f"It sent {count.octets_out >> 10} KiB to {remote}, which it never looked up: data leaves."
                    seen, to = (count.since, packet.at), [Peer.of(packet)]
                    yield self.found(
                        packet.source_mac, scene, subject=remote, seen=seen, evidence=[shown], why=why, peers=to
                    )
                count.octets_out = count.octets_in = 0


def _size(packet: Packet) -> int:
    """Octets that it carries; a tap keeps the beginning of what segmentation offload made one frame of."""
    return max(len(packet.payload), packet.length - _HEADERS)


DETECTOR = _Upload
