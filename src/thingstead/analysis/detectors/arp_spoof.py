"""Somebody answers for an address that is another's (RFC 826, RFC 3756 for IPv4's sake; R-34)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from thingstead.analysis.detectors.detector import Detection, Detector, Severity
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
            claim = f"ARP: {host(arp.sender_ip)} is at {mac(arp.sender_mac)}, sent by {mac(packet.source_mac)}"
            why = f"It says that {host(arp.sender_ip)} is its own, which is another's: it wants to be in the middle."
            yield self._tell(packet, scene, arp.sender_ip, (packet.at, packet.at), claim, why)
        elif owner is None and self._is_in_turn(arp.sender_ip, arp.sender_mac, packet.at):
            claims = self._claims[arp.sender_ip]
            shown = [f"ARP: {host(arp.sender_ip)} is at {mac(one)}" for one in claims.values()]
            why = f"It and another say that {host(arp.sender_ip)} is their own: one of them wants to be in the middle."
            self._claims.drop(arp.sender_ip)
            # Which of them, nobody knows: who has the address must not be cut off for what another says.
            found = self._tell(packet, scene, arp.sender_ip, claims.span, *shown, why)
            yield replace(found, severity=Severity.INCIDENT)

    def _is_in_turn(self, address: bytes, claimant: bytes, now: float) -> bool:
        claims = self._claims[address]
        claims.add(now, claimant)
        return claims.distinct > 1 and sum(count >= _TURNS for count in claims.counts()) > 1

    def _tell(self, packet: Packet, scene: Scene, address: bytes, seen: tuple[float, float], *said: str) -> Detection:
        *shown, why = said
        return self.found(packet.source_mac, scene, subject=host(address), seen=seen, evidence=shown, why=why)


DETECTOR = _ArpSpoof
