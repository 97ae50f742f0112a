"""One device tries the doors of one host, one after the other (RFC 8576 §3)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import ICMP, ICMPV6, UDP, host, opens
from thingstead.analysis.detectors.window import MAX_KEYS, PerKey, Window
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _PORTS = 60.0, 15
_CLOSED = {(ICMP, (3, 3)): 24 + 2, (ICMPV6, (1, 4)): 44 + 2}
"""Port unreachable (RFC 792, RFC 4443 §3.1), and where in it the port stands that was tried."""


class _VerticalScan(Detector):
    name = "vertical_scan"
    spec = "RFC 8576 §3"
    rule = f"{_PORTS} ports of one host tried within {_SECONDS:.0f} s"

    def __init__(self) -> None:
        self._tried: PerKey[tuple[bytes, bytes], Window[int]] = PerKey(lambda: Window(_SECONDS, 128))
        self._sent: PerKey[tuple[bytes, bytes, int], float] = PerKey(float, MAX_KEYS * 4)

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if opens(packet) and packet.destination_port is not None:
            yield from self._try(packet.source_mac, packet.destination, packet.destination_port, packet, scene)
        elif packet.protocol == UDP and packet.destination_port is not None:
            self._sent[packet.source_mac, packet.destination, packet.destination_port] = packet.at
        elif packet.icmp is not None and packet.protocol is not None:
            start = _CLOSED.get((packet.protocol, packet.icmp))
            if start is not None and len(packet.payload) >= start + 2:
                device, port = scene.receiver(packet), int.from_bytes(packet.payload[start : start + 2])
                # Anybody can send somebody what says that he tried; it counts of whom tried.
                if (device, packet.source, port) in self._sent:
                    yield from self._try(device, packet.source, port, packet, scene)

    def _try(self, device: bytes, target: bytes, port: int, packet: Packet, scene: Scene) -> Iterator[Detection]:
        window = self._tried[device, target]
        window.add(packet.at, port)
        if window.distinct >= _PORTS:
            yield self.found(
                device,
                scene,
                subject=host(target),
                seen=window.span,
                evidence=[f"{host(target)} port {one} tried" for one in window.values()],
                why=f"It tried {window.distinct} ports of {host(target)} within a minute: it looks for an open door.",
            )
            window.clear()


DETECTOR = _VerticalScan
