"""A thing asks much more often than it ever did: broken, and too much for those whom it asks (R-51)."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector, Severity
from thingstead.analysis.detectors.memory import Rate, Rates
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import UDP, opens
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_MINUTES, _LEAST, _FACTOR, _SMALL = 3, 300, 10.0, 256
_ASKED = frozenset({53, 123, 161, 5683, 5684})  # each datagram is a request: DNS, NTP, SNMP, CoAP


class _Overload(Detector):
    name = "overload"
    spec = "RFC 8576 §5.1.2"
    rule = f"{_LEAST} requests a minute and {_FACTOR:.0f} times the usual, {_MINUTES} minutes on end"
    severity = Severity.INCIDENT

    def __init__(self) -> None:
        self.memory = self._rates = Rates()

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        # What asks has small datagrams; calls and games too, which are one conversation with a host that was looked up.
        is_request = opens(packet)
        if packet.protocol == UDP and len(packet.payload) <= _SMALL:
            is_request = packet.destination_port in _ASKED or not scene.names.names_of(packet.destination, packet.at)
        if not is_request or packet.source_mac in scene.gateways:
            return
        rate, minute = self._rates[packet.source_mac], int(packet.at // 60)
        if minute != rate.minute:
            self._turn(rate, minute)
        rate.asked += 1
        if rate.over >= _MINUTES:
            rate.over = 0
            shown = f"more than {_LEAST} requests in each of {_MINUTES} minutes, {rate.usual:.0f} are usual"
            why = "It asks far more often than it used to, minute after minute: it is broken, or driven by somebody."
            seen = ((minute - _MINUTES) * 60.0, packet.at)
            yield self.found(packet.source_mac, scene, subject="rate", seen=seen, evidence=[shown], why=why)

    def _turn(self, rate: Rate, minute: int) -> None:
        is_over = rate.asked >= max(_LEAST, rate.usual * _FACTOR) and minute == rate.minute + 1
        rate.over = rate.over + 1 if is_over else 0
        if not is_over and rate.minute:
            # A mean that forgets within an hour; what was over does not become usual.
            rate.usual += (rate.asked - rate.usual) / 60 if rate.usual else rate.asked
        rate.minute, rate.asked = minute, 0


DETECTOR = _Overload
