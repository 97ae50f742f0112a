"""All detectors together: each packet once, and each finding once in a while."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from thingstead.analysis.detectors.detector import Detection, Detector, detectors
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.window import PerKey
from thingstead.protocols.packet.packet import Packet

__all__ = ["Limits", "Panel"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is said and remembered.

    Attributes:
        quiet: seconds for which a detector, device and subject that was told is not told again.
        max_told: findings that are remembered as told.
        max_strangers: devices that are none of the domain's things and are looked at, within an hour; who invents
            link-layer addresses shall not push the things out of the detectors' memory.
    """

    quiet: float = 3600.0
    max_told: int = 4096
    max_strangers: int = 512


class Panel:
    """Shows packets to detectors.

    Args:
        scene: the site; to be set anew when it changes.
        panel: the detectors; all there are, if not given.
        limits: see there.

    Attributes:
        scene: as given.
        again: findings that were told already, by detector.
        unseen: packets of strangers that were not looked at.
    """

    def __init__(self, scene: Scene, *, panel: Iterable[Detector] | None = None, limits: Limits | None = None) -> None:
        self.scene = scene
        self.again: Counter[str] = Counter()
        self.unseen = 0
        self._panel = detectors() if panel is None else tuple(panel)
        self._limits = limits or Limits()
        self._told: PerKey[tuple[str, bytes, str], list[float]] = PerKey(list, self._limits.max_told)
        self._strangers: set[bytes] = set()
        self._hour = 0

    def see(self, packet: Packet) -> tuple[Detection, ...]:
        """What this packet shows, with those before it."""
        scene = self.scene
        if scene.is_relayed(packet):
            return ()
        if not self._is_looked_at(packet, scene):
            self.unseen += 1
            return ()
        scene.hear(packet)
        return tuple(self._fresh(chain.from_iterable([one.see(packet, scene) for one in self._panel])))

    def tick(self, now: float) -> tuple[Detection, ...]:
        """What the passing of time shows."""
        return tuple(self._fresh(chain.from_iterable([one.tick(now, self.scene) for one in self._panel])))

    def forget(self, found: Detection) -> None:
        """It came to nothing: the same is told again at once, for it may be with somebody else."""
        self._told.drop((found.detector, found.device, found.subject))

    def kept(self, most: int) -> dict[str, list[list[Any]]]:
        """What a restart shall not forget, by detector."""
        return {one.name: one.memory.kept(self.scene, most) for one in self._panel if one.memory is not None}

    def take_up(self, kept: Mapping[str, object], now: float) -> None:
        """Go on from what `kept` gave before a restart; a detector that is no more costs the others nothing.

        Raises:
            DecodeError: of one of them, in whatever state the others are then.
        """
        for one in self._panel:
            if one.memory is not None:
                one.memory.take_up(kept.get(one.name, []), now)

    def _is_looked_at(self, packet: Packet, scene: Scene) -> bool:
        mac = packet.source_mac
        if mac in scene.things or mac in scene.gateways or mac in self._strangers:
            return True
        hour = int(packet.at // 3600)
        if hour != self._hour:
            self._hour = hour
            self._strangers.clear()
        if len(self._strangers) >= self._limits.max_strangers:
            return False
        self._strangers.add(mac)
        return True

    def _fresh(self, found: Iterable[Detection]) -> Iterator[Detection]:
        for one in found:
            told = self._told[one.detector, one.device, one.subject]
            if told and one.last - told[0] < self._limits.quiet:
                self.again[one.detector] += 1
            else:
                told[:] = [one.last]
                yield one
