"""Long names that carry something else than a question: a tunnel through the resolver (RFC 8576 §3)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.query import owner_of, question
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.window import PerKey, Window
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _NAMES, _LONG = 300.0, 12, 30


class _DnsTunnel(Detector):
    name = "dns_tunnel"
    spec = "RFC 8576 §3"
    rule = (
        f"{_NAMES} different names with {_LONG} characters or more before the registered name within {_SECONDS:.0f} s"
    )

    def __init__(self) -> None:
        self._asked: PerKey[tuple[bytes, str], Window[str]] = PerKey(lambda: Window(_SECONDS, 64))

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        name = question(packet)
        owner = owner_of(name)
        carried = name.removesuffix(owner)
        if len(carried) < _LONG:
            return
        window = self._asked[packet.source_mac, owner]
        window.add(packet.at, carried)
        if window.distinct >= _NAMES:
            octets = sum(map(len, window.values()))
            yield self.found(
                packet.source_mac,
                scene,
                subject=owner,
                seen=window.span,
                evidence=[f"{len(one)} characters before {owner}" for one in window.values()],
                why=f"It hid {octets} characters in names under {owner}: data leaves through the name server.",
            )
            window.clear()


DETECTOR = _DnsTunnel
