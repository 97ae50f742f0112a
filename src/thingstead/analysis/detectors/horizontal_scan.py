"""One device asks many hosts for the same, and few answer: it looks for the next victim (RFC 8576 §3, threat 1)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import accepts, host, opens
from thingstead.analysis.detectors.window import PerKey, Window
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _HOSTS, _WEB_HOSTS, _NEIGHBOURS = 60.0, 20, 40, 48
_WEB = frozenset({80, 443})
"""A client of the web asks many hosts by itself, and more of them where its network is broken."""
_ARP = -1


class _HorizontalScan(Detector):
    name = "horizontal_scan"
    spec = "RFC 8576 §3"
    rule = (
        f"{_HOSTS} hosts that no answer named silent on one TCP port ({_WEB_HOSTS} of the web), "
        f"or {_NEIGHBOURS} sought by ARP, in a minute"
    )

    def __init__(self) -> None:
        self._asked: PerKey[tuple[bytes, int | None], Window[bytes]] = PerKey(lambda: Window(_SECONDS, 128))

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if packet.arp is not None and packet.arp.operation == 1 and packet.source_mac not in scene.gateways:
            yield from self._ask(packet, scene, _ARP, packet.arp.target_ip, _NEIGHBOURS)
        elif opens(packet) and not scene.names.names_of(packet.destination, packet.at):
            yield from self._ask(
                packet,
                scene,
                packet.destination_port,
                packet.destination,
                _WEB_HOSTS if packet.destination_port in _WEB else _HOSTS,
            )
        elif accepts(packet) and (scene.receiver(packet), packet.source_port) in self._asked:
            self._asked[scene.receiver(packet), packet.source_port].drop(packet.source)

    def _ask(self, packet: Packet, scene: Scene, port: int | None, to: bytes, most: int) -> Iterator[Detection]:
        window = self._asked[packet.source_mac, port]
        window.add(packet.at, to)
        if window.distinct >= most:
            what = "by ARP" if port == _ARP else f"on TCP port {port}"
            yield self.found(
                packet.source_mac,
                scene,
                subject=what,
                seen=window.span,
                evidence=[f"{host(one)} asked {what}" for one in window.values()],
                why=f"It asked {window.distinct} hosts {what} within a minute: it looks for others to break into.",
            )
            window.clear()


DETECTOR = _HorizontalScan
