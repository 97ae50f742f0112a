"""Somebody gives out addresses or names, and was not asked to (RFC 2131 §7, RFC 3833 §2.3)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import UDP, at, mac
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_ANSWERS = {(67, 68): "DHCP", (547, 546): "DHCPv6"}
_DNS = 53
_RESPONSE = 0x80
"""QR, the first bit of the third octet of a message (RFC 1035 §4.1.1)."""


class _RogueServer(Detector):
    name = "rogue_server"
    spec = "RFC 2131 §7"
    rule = "an answer for DHCP or DNS from within the site, from whom the site does not have for a gateway"

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if packet.protocol != UDP or not scene.gateways or packet.source_mac in scene.gateways:
            return
        kind = _ANSWERS.get((packet.source_port or 0, packet.destination_port or 0))
        if kind is None and packet.source_port == _DNS and packet.payload[2:3] >= bytes([_RESPONSE]):
            kind = "DNS"
        if kind is not None:
            yield self.found(
                packet.source_mac,
                scene,
                subject=kind,
                seen=(packet.at, packet.at),
                evidence=[f"{kind} answered by {at(packet.source, packet.source_port)}, {mac(packet.source_mac)}"],
                why=f"It answers {kind} as if it were the gateway: whoever believes it goes where it says.",
            )


DETECTOR = _RogueServer
