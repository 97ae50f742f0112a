"""Whom a thing began to speak to with its new release, over and over (RFC 8576 §3, threat 7; R-30)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector, Peer
from thingstead.analysis.detectors.memory import Histories
from thingstead.analysis.detectors.query import owner_of
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import host
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_MINUTES, _MOST, _WINDOW = 3, 256, 86_400.0


class _NewDestination(Detector):
    name = "new_destination"
    spec = "RFC 8576 §3"
    rule = f"an outside name or address contacted in {_MINUTES} minutes of the day after an update, and never before it"

    def __init__(self) -> None:
        self.memory = self._things = Histories()

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        thing = scene.things.get(packet.source_mac)
        if thing is None:
            return
        history = self._things[packet.source_mac]
        history.since = packet.at if history.since is None else history.since
        if not scene.is_outside(packet.destination):
            return
        names = scene.names.names_of(packet.destination, packet.at)
        remote = owner_of(names[0]) if names else host(packet.destination)
        contacts = history.contacts.setdefault(remote, [packet.at])
        history.contacts.move_to_end(remote)
        if len(history.contacts) > _MOST:
            history.contacts.popitem(last=False)
        if len(contacts) >= _MINUTES or packet.at - contacts[-1] < 60:
            return
        contacts.append(packet.at)
        installed = scene.installs.get(thing)
        # Who was watched for less time before its update than this took may have done it as seldom before.
        if installed is None or installed - history.since < packet.at - contacts[0] or packet.at - installed > _WINDOW:
            return
        if contacts[0] >= installed and len(contacts) == _MINUTES:
            shown = [f"{one - installed:.0f} s after the update: {remote}" for one in contacts]
            why = f"It speaks to {remote} since its update, and never did before."
            seen, to = (contacts[0], packet.at), [Peer.of(packet)]
            yield self.found(packet.source_mac, scene, subject=remote, seen=seen, evidence=shown, why=why, peers=to)


DETECTOR = _NewDestination
