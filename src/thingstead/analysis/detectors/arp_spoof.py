"""Somebody answers for an address that is another's (RFC 826, RFC 3756 for IPv4's sake; R-34)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import host, mac
from thingstead.analysis.detectors.window import PerKey, Window
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _TURNS = 60.0, 3


class _ArpSpoof(Detector):
    name = "arp_spoof"
    spec = "RFC 826"
    rule = f"another's address in use, or the gateway's, claimed; or one claimed by two in turn within {_SECONDS:.0f} s"

    def __init__(self) -> None:
        self._claims: PerKey[bytes, Window[bytes]] = PerKey(lambda: Window(_SECONDS, 32))

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        arp = packet.arp
        # A probe claims nothing (RFC 5227 §2.1.1); the gateway answers for others where ports are kept apart.
        if arp is None or not any(arp.sender_ip) or arp.sender_mac in scene.gateways:
            return
        owner = scene.owner(arp.sender_ip, packet.at)
        if (owner is not None and owner != arp.sender_mac) or arp.sender_ip in scene.gateway_addresses:
            yield self._tell(packet, scene, arp.sender_ip, arp.sender_mac, (packet.at, packet.at))
        elif owner is None and self._is_in_turn(arp.sender_ip, arp.sender_mac, packet.at):
            span = self._claims[arp.sender_ip].span
            self._claims.drop(arp.sender_ip)
            yield self._tell(packet, scene, arp.sender_ip, arp.sender_mac, span)

    def _is_in_turn(self, address: bytes, claimant: bytes, now: float) -> bool:
        claims = self._claims[address]
        claims.add(now, claimant)
        return claims.distinct > 1 and sum(count >= _TURNS for count in claims.counts()) > 1

    def _tell(self, packet: Packet, scene: Scene, address: bytes, by: bytes, seen: tuple[float, float]) -> Detection:
        claim = f"ARP: {host(address)} is at {mac(by)}, sent by {mac(packet.source_mac)}"
        why = f"It says that {host(address)} is its own, which is another's: it wants to be in the middle."
        return self.found(packet.source_mac, scene, subject=host(address), seen=seen, evidence=[claim], why=why)


DETECTOR = _ArpSpoof
