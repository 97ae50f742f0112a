"""Somebody answers for an IPv6 address that is another's (RFC 3756 §4.1.1; R-34)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import ICMPV6, host, mac
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_ADVERTISEMENT = (136, 0)


class _NdSpoof(Detector):
    name = "nd_spoof"
    spec = "RFC 3756 §4.1.1"
    rule = "a neighbour advertisement for an address that is bound to another and in use, or is the gateway's"

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if packet.icmp != _ADVERTISEMENT or packet.protocol != ICMPV6 or len(packet.payload) < 20:
            return
        # Flags, then the address that is spoken of (RFC 4861 §4.4); the gateway may speak for others.
        target, sender = packet.payload[4:20], packet.source_mac
        owner = scene.owner(target, packet.at)
        is_anothers = (owner is not None and owner != sender) or target in scene.gateway_addresses
        if is_anothers and sender not in scene.gateways:
            yield self.found(
                sender,
                scene,
                subject=host(target),
                seen=(packet.at, packet.at),
                evidence=[f"neighbour advertisement: {host(target)}, sent by {mac(sender)}"],
                why=f"It says that {host(target)} is its own, which is another's: it wants to be in the middle.",
            )


DETECTOR = _NdSpoof
