"""A thing that sends mail: the usual way out for pictures, and for unwanted mail (RFC 8576 §3; R-38)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector, Peer
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import TCP, at, opens
from thingstead.analysis.detectors.window import PerKey, Window
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _TIMES = 600.0, 3
_PORTS = frozenset({25, 465, 587})


class _Mail(Detector):
    name = "mail"
    spec = "RFC 8576 §3"
    rule = f"{_TIMES} connections to mail servers outside within {_SECONDS:.0f} s"

    def __init__(self) -> None:
        self._sent: PerKey[bytes, Window[tuple[bytes, int | None, int | None]]] = PerKey(lambda: Window(_SECONDS, 32))

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if packet.destination_port not in _PORTS or not opens(packet) or not scene.is_outside(packet.destination):
            return
        if packet.source_mac in scene.gateways:
            return
        sent = self._sent[packet.source_mac]
        sent.add(packet.at, (packet.destination, packet.destination_port, packet.source_port))
        if sent.distinct >= _TIMES:
            servers = dict.fromkeys(at(address, port) for address, port, _ in sent.values())
            yield self.found(
                packet.source_mac,
                scene,
                subject="mail",
                seen=sent.span,
                evidence=[f"connection with {one}" for one in servers],
                peers=[Peer(address, TCP, port) for address, port, _ in sent.values()],
                why="It sends mail to servers outside: pictures or data leave, or it sends what nobody wants.",
            )
            sent.clear()


DETECTOR = _Mail
