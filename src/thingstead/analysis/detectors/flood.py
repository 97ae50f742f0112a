"""More to one host than it answers, by far (RFC 8576 §3, threat 11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import ICMP, ICMPV6, TCP, UDP, accepts, host, is_group, opens
from thingstead.analysis.detectors.window import PerKey
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _STREAM, _ANSWERED = 10.0, 8.0, 0.05
"""Who watches a stream reports back within seconds, and seldom more than that (RFC 3550 §6.2)."""
_MOST = {TCP: 100, UDP: 500, ICMP: 200, ICMPV6: 200}
_NAMES = {TCP: "connections asked for", UDP: "datagrams", ICMP: "ICMP messages", ICMPV6: "ICMPv6 messages"}


@dataclass(slots=True)
class _Count:
    since: float = 0.0
    sent: int = 0
    answers: int = 0


class _Flood(Detector):
    name = "flood"
    spec = "RFC 8576 §3"
    rule = f"{_MOST[TCP]} connections or {_MOST[ICMP]} pings in 10 s hardly answered, {_MOST[UDP]} datagrams not at all"

    def __init__(self) -> None:
        self._counts: PerKey[tuple[bytes, bytes, int], _Count] = PerKey(_Count)

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        protocol = packet.protocol
        if protocol not in _MOST or is_group(packet) or (protocol == TCP and not packet.flags & 2):
            return
        answered = (scene.receiver(packet), packet.source, protocol)
        if (protocol != TCP or accepts(packet)) and answered in self._counts:
            self._counts[answered].answers += 1
        if protocol != TCP or opens(packet):
            count = self._counts[packet.source_mac, packet.destination, protocol]
            if packet.at - count.since > _SECONDS:
                count.since, count.sent, count.answers = packet.at, 0, 0
            count.sent += 1
            is_stream = protocol == UDP and (count.answers or packet.at - count.since < _STREAM)
            if count.sent >= _MOST[protocol] and count.answers < count.sent * _ANSWERED and not is_stream:
                yield self._tell(packet, scene, count, f"{count.sent} {_NAMES[protocol]}")
                count.sent = count.answers = 0

    def _tell(self, packet: Packet, scene: Scene, count: _Count, what: str) -> Detection:
        target, seen = host(packet.destination), (count.since, packet.at)
        shown = f"{what} to {target} in {packet.at - count.since:.1f} s, {count.answers} answers"
        why = f"It sent {target} {what} within ten seconds, hardly any answered: it floods that host."
        return self.found(packet.source_mac, scene, subject=target, seen=seen, evidence=[shown], why=why)


DETECTOR = _Flood
