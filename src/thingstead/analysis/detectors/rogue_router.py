"""Somebody says that it is a router, and is none of ours (RFC 3756 §4.2; RFC 6104)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import ICMP, ICMPV6, host, mac
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SAYS = {
    (ICMPV6, 134): "router advertisement",
    (ICMPV6, 137): "redirect",
    (ICMP, 5): "redirect",
    (ICMP, 9): "router advertisement",
}
"""By protocol and type (RFC 4861 §4.2 and §4.5, RFC 792, RFC 1256)."""


class _RogueRouter(Detector):
    name = "rogue_router"
    spec = "RFC 6104"
    rule = "a router advertisement or redirect from whom the site does not have for a router"

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if packet.icmp is None or packet.protocol is None or not scene.gateways:
            return
        says = _SAYS.get((packet.protocol, packet.icmp[0]))
        if says is not None and packet.source_mac not in scene.gateways:
            yield self.found(
                packet.source_mac,
                scene,
                subject=says,
                seen=(packet.at, packet.at),
                evidence=[f"{says} from {host(packet.source)}, {mac(packet.source_mac)}"],
                why="It tells others to send their traffic its way, and it is no router of this site.",
            )


DETECTOR = _RogueRouter
