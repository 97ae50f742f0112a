"""It asks again and again, as by the clock, somebody whom it never looked up: who commands it? (RFC 8576 §3, Mirai)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import mean, pstdev

from thingstead.analysis.detectors.detector import Detection, Detector, Peer
from thingstead.analysis.detectors.memory import Beats
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import UDP, at, opens
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_TIMES, _EVEN, _LEAST, _LEAST_UDP = 8, 0.15, 0.5, 10.0
_OWN_CLOCK = frozenset({53, 123})
"""Names and time are asked for by the clock, and of addresses that were given."""


class _Beaconing(Detector):
    name = "beaconing"
    spec = "RFC 8576 §3"
    rule = f"{_TIMES} contacts with one outside address that no answer named, at intervals that vary by {_EVEN:.0%}"

    def __init__(self) -> None:
        self.memory = self._times = Beats(_TIMES)

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        is_datagram = packet.protocol == UDP and packet.destination_port not in _OWN_CLOCK
        if not (is_datagram or opens(packet)) or not scene.is_outside(packet.destination):
            return
        if packet.source_mac in scene.gateways or scene.names.names_of(packet.destination, packet.at):
            return
        times = self._times[packet.source_mac, packet.destination, packet.destination_port]
        # What is sent anew for want of an answer comes from the same port, and is no contact of its own.
        if opens(packet) and times and times[-1][1] == packet.source_port:
            return
        times.append((packet.at, packet.source_port))
        if len(times) == _TIMES and _is_even([one for one, _ in times], _LEAST_UDP if is_datagram else _LEAST):
            yield self._tell(packet, scene, [one for one, _ in times])
            times.clear()

    def _tell(self, packet: Packet, scene: Scene, times: Sequence[float]) -> Detection:
        remote, every = at(packet.destination, packet.destination_port), (times[-1] - times[0]) / (_TIMES - 1)
        shown = [f"{one - times[0]:.1f} s: contact with {remote}" for one in times]
        why = f"It asks {remote} every {every:.0f} seconds, and looked up no name for it: maybe for orders."
        seen, to = (times[0], times[-1]), [Peer.of(packet)]
        return self.found(packet.source_mac, scene, subject=remote, seen=seen, evidence=shown, why=why, peers=to)


def _is_even(times: Sequence[float], least: float) -> bool:
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return min(gaps) >= least and pstdev(gaps) <= mean(gaps) * _EVEN


DETECTOR = _Beaconing
