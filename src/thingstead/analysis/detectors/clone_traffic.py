"""Two machines under one address: they take turns, which one machine does not (RFC 8576 §3, threat 3; R-21)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.clone import Sightings
from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import UDP, host
from thingstead.analysis.detectors.window import MAX_DEVICES, PerKey
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_DHCP_CLIENT = 68
_LINK_LOCAL = bytes([169, 254])


class _CloneTraffic(Detector):
    name = "clone_traffic"
    spec = "RFC 8576 §3"
    rule = "a thing's link-layer address with two IPv4 addresses in turn, back and forth four times within a minute"

    def __init__(self) -> None:
        self._sightings: PerKey[bytes, Sightings] = PerKey(Sightings, MAX_DEVICES)

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        thing = scene.things.get(packet.source_mac)
        # While it asks for an address, a machine has none or an older one.
        if thing is None or packet.family != 4 or (packet.protocol == UDP and packet.source_port == _DHCP_CLIENT):
            return
        if packet.source.startswith(_LINK_LOCAL) or not any(packet.source):
            return
        clone = self._sightings[packet.source_mac].heard(thing, host(packet.source), now=packet.at)
        if clone is not None:
            places = [str(place) for place in clone.places]
            both = " and ".join(dict.fromkeys(places))
            self._sightings.drop(packet.source_mac)
            yield self.found(
                packet.source_mac,
                scene,
                subject="address",
                seen=(packet.at - clone.seconds, packet.at),
                evidence=[f"sent from {place}" for place in places],
                why=f"Two machines send under its link-layer address, from {both} in turn: one of them is a copy.",
            )


DETECTOR = _CloneTraffic
