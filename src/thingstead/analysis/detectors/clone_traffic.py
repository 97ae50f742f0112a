"""Two machines under one address: they take turns, which one machine does not (RFC 8576 §3, threat 3; R-21, R-34)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from thingstead.analysis.clone import Sightings
from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import UDP, host, mac, owner
from thingstead.analysis.detectors.window import MAX_DEVICES, PerKey
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_DHCP_CLIENT = 68


@dataclass(slots=True)
class _Trail:
    sightings: Sightings = field(default_factory=Sightings)
    copy: bytes = b""


class _CloneTraffic(Detector):
    name = "clone_traffic"
    spec = "RFC 8576 §3"
    rule = "a thing's link-layer address with two IPv4 addresses that it claims, or behind two ports, 4 turns a minute"

    def __init__(self) -> None:
        self._trails: PerKey[bytes, _Trail] = PerKey(_Trail, MAX_DEVICES)

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        thing = scene.things.get(owner(packet.source_mac))
        # While it asks for an address, a machine has none or an older one.
        if thing is None or packet.family != 4 or (packet.protocol == UDP and packet.source_port == _DHCP_CLIENT):
            return
        trail = self._trails[owner(packet.source_mac)]
        if packet.source_mac != owner(packet.source_mac):
            trail.copy = packet.source_mac
        elif not scene.claims(packet.source_mac, packet.source):
            # What has an address answers for it; a thing just set up sends on what a phone once sent through it.
            return
        clone = trail.sightings.heard(thing, f"{host(packet.source)}, {mac(packet.source_mac)}", now=packet.at)
        if clone is not None:
            places = [str(place) for place in clone.places]
            # Who is not behind the thing's port is the copy; of two addresses behind one, nobody can say which is.
            is_elsewhere = any(place.endswith(mac(trail.copy)) for place in places if trail.copy)
            device = trail.copy if is_elsewhere else owner(packet.source_mac)
            self._trails.drop(owner(packet.source_mac))
            yield self.found(
                device,
                scene,
                subject="address",
                seen=(packet.at - clone.seconds, packet.at),
                evidence=[f"sent from {place}" for place in places],
                why=f"Two machines send under one address, {' and '.join(dict.fromkeys(places))}: one is a copy.",
            )


DETECTOR = _CloneTraffic
