"""Many things fall silent at once, which no plan of sleep explains: jamming, or a network that is down (R-39)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector, Severity
from thingstead.analysis.detectors.last_heard import LastHeard
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import mac
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_THINGS, _SHARE, _TOGETHER = 3, 0.5, 60.0


class _LostContact(Detector):
    name = "lost_contact"
    spec = "RFC 8576 §3"
    rule = f"{_THINGS} things and half of those that should be heard, overdue and last heard within {_TOGETHER:.0f} s"
    severity = Severity.INCIDENT

    def __init__(self) -> None:
        self.memory = self._heard = LastHeard()
        self._told: frozenset[bytes] = frozenset()

    def see(self, packet: Packet, scene: Scene) -> tuple[()]:
        self._heard.hear(packet, scene)
        return ()

    def tick(self, now: float, scene: Scene) -> Iterator[Detection]:
        planned = {device: scene.intervals.get(thing) for device, thing in scene.things.items()}
        waited = {device: heard for device, heard in self._heard.items() if planned.get(device) is not None}
        overdue = {
            device: heard
            for device, heard in waited.items()
            if self._heard.silence(heard, now) > (planned[device] or 0.0)
        }
        last = max(overdue.values(), default=0.0)
        lost = sorted(device for device, heard in overdue.items() if last - heard <= _TOGETHER)
        if len(lost) < _THINGS or len(lost) < len(waited) * _SHARE:
            self._told = frozenset()
        elif not self._told >= frozenset(lost):
            self._told = frozenset(lost)
            shown = [f"{mac(one)} last heard {now - overdue[one]:.0f} s ago" for one in lost]
            why = f"{len(lost)} things fell silent together and none of them sleeps: jamming, or the network is down."
            yield self.found(b"", scene, subject="site", seen=(last, now), evidence=shown, why=why)


DETECTOR = _LostContact
