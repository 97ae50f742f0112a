"""Many names that nobody has under one that somebody has: floods its name server (RFC 8576 §3; Dyn, 2016)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.query import owner_of, question
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.window import PerKey, Window
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _NAMES = 60.0, 40


class _RandomSubdomains(Detector):
    name = "random_subdomains"
    spec = "RFC 8576 §3"
    rule = f"{_NAMES} different names under one registered name asked for within {_SECONDS:.0f} s"

    def __init__(self) -> None:
        self._asked: PerKey[tuple[bytes, str], Window[str]] = PerKey(lambda: Window(_SECONDS, 128))

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        name = question(packet)
        if not name:
            return
        owner = owner_of(name)
        window = self._asked[packet.source_mac, owner]
        window.add(packet.at, name)
        if window.distinct >= _NAMES:
            yield self.found(
                packet.source_mac,
                scene,
                subject=owner,
                seen=window.span,
                evidence=window.values(),
                why=f"It asked for {window.distinct} names under {owner} within a minute: a flood of questions.",
            )
            window.clear()


DETECTOR = _RandomSubdomains
