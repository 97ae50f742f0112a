"""A thing that was heard, and is silent for longer than it ever plans to be: lost, not asleep (R-12, R-39)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector, Severity
from thingstead.analysis.detectors.last_heard import LastHeard
from thingstead.analysis.detectors.scene import Scene
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_INTERVALS = 3


class _Silence(Detector):
    name = "silence"
    spec = "RFC 8576 §3"
    rule = f"a thing not heard for {_INTERVALS} times the longest silence that was planned for it"
    severity = Severity.INCIDENT

    def __init__(self) -> None:
        self.memory = self._heard = LastHeard()

    def see(self, packet: Packet, scene: Scene) -> tuple[()]:
        self._heard.hear(packet, scene)
        return ()

    def tick(self, now: float, scene: Scene) -> Iterator[Detection]:
        for device, heard in self._heard.items():
            thing = scene.things.get(device)
            if thing is None:
                self._heard.drop(device)
                continue
            planned = scene.intervals.get(thing)
            if planned is not None and self._heard.silence(heard, now) > _INTERVALS * planned:
                # Told once: it is waited for again when it is heard again.
                self._heard.drop(device)
                shown = f"last packet {now - heard:.0f} s ago, planned are at most {planned:.0f} s"
                why = "It fell silent, and no planned sleep explains that: it has no power, no network, or is gone."
                seen = (heard, now)
                yield self.found(device, scene, subject="silence", seen=seen, evidence=[shown], why=why)


DETECTOR = _Silence
