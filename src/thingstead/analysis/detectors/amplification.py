"""A service at a thing that answers strangers with more than they sent: a reflector (RFC 8576 §3, threat 11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import UDP, host, is_group
from thingstead.analysis.detectors.window import PerKey
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _ANSWERS, _FACTOR = 60.0, 20, 5
_SERVICES = {19: "chargen", 53: "names", 123: "time", 161: "SNMP", 389: "CLDAP", 1900: "SSDP", 3702: "WS-Discovery",
             5353: "mDNS", 5683: "CoAP", 11211: "memcached"}  # fmt: skip


@dataclass(slots=True)
class _Count:
    since: float = 0.0
    octets_in: int = 0
    octets_out: int = 0
    answers: int = 0


class _Amplification(Detector):
    name = "amplification"
    spec = "RFC 8576 §3"
    rule = f"{_ANSWERS} answers within {_SECONDS:.0f} s to strangers, {_FACTOR} times as large as what was asked"

    def __init__(self) -> None:
        self._counts: PerKey[tuple[bytes, int], _Count] = PerKey(_Count)

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if packet.protocol != UDP or is_group(packet):
            return
        if packet.destination_port in _SERVICES and scene.is_outside(packet.source):
            self._of(scene.receiver(packet), packet.destination_port, packet.at).octets_in += len(packet.payload)
        elif packet.source_port in _SERVICES and scene.is_outside(packet.destination):
            count = self._of(packet.source_mac, packet.source_port, packet.at)
            count.answers += 1
            count.octets_out += len(packet.payload)
            if count.answers >= _ANSWERS and 0 < count.octets_in * _FACTOR <= count.octets_out:
                yield self._tell(packet, scene, count, _SERVICES[packet.source_port])
                count.since = 0.0

    def _of(self, device: bytes, port: int, now: float) -> _Count:
        count = self._counts[device, port]
        if now - count.since > _SECONDS:
            count.since, count.octets_in, count.octets_out, count.answers = now, 0, 0, 0
        return count

    def _tell(self, packet: Packet, scene: Scene, count: _Count, service: str) -> Detection:
        shown = f"{count.octets_in} octets asked, {count.octets_out} answered, the last to {host(packet.destination)}"
        why = f"Its service for {service} answers strangers with much more than they send: others flood with it."
        seen = (count.since, packet.at)
        return self.found(packet.source_mac, scene, subject=service, seen=seen, evidence=[shown], why=why)


DETECTOR = _Amplification
