"""A sender's address that is not its own (RFC 2827; R-34)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import host, mac, owner
from thingstead.analysis.detectors.window import MAX_DEVICES, PerKey, Window
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _PACKETS, _PREFIXES = 60.0, 10, 4


class _AddressSpoofing(Detector):
    name = "address_spoofing"
    spec = "RFC 2827"
    rule = f"{_PACKETS} packets within {_SECONDS:.0f} s from addresses outside of the site, or in use by another"

    def __init__(self) -> None:
        self._forged: PerKey[bytes, Window[bytes]] = PerKey(lambda: Window(_SECONDS, 32), MAX_DEVICES)

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        sender = packet.source_mac
        # Without knowing who routes, everything from outside would look forged.
        if not packet.family or not scene.gateways or sender in scene.gateways:
            return
        # Under both addresses of a thing, from another port: `clone_traffic` tells that from a thing that moved.
        is_anothers = scene.owner(packet.source, packet.at) not in (None, sender, owner(sender))
        if not is_anothers and not scene.is_outside(packet.source):
            return
        forged = self._forged[sender]
        # A machine has several addresses of IPv6, of prefixes that nobody may have told us of: a few are its own.
        is_own = packet.family == 6 and not is_anothers and len({one[:8] for one in forged.values()}) < _PREFIXES
        if forged.add(packet.at, packet.source) >= _PACKETS and not is_own:
            yield self.found(
                sender,
                scene,
                subject="source address",
                seen=forged.span,
                evidence=[f"{mac(sender)} sends as {host(one)}" for one in forged.values()],
                why="It sends under addresses that are not its own: answers go to others, and nobody finds it.",
            )
            forged.clear()


DETECTOR = _AddressSpoofing
