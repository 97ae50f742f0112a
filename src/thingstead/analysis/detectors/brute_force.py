"""Names and passwords tried one after the other (RFC 8576 §3, threat 1; Mirai)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zlib import crc32

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import TCP, at, opens
from thingstead.analysis.detectors.window import PerKey, Window
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _TRIES = 120.0, 8
_Try = tuple[bytes, bytes, int | None]
_LOGINS = frozenset({22, 23, 2222, 2323})
"""Where a connection is a try: a session is one connection, and a thing has few."""
_TELNET = re.compile(rb"(?i)incorrect|failed|denied")
_HTTP, _LINE = re.compile(rb"\AHTTP/1\.[01] 40[13] "), re.compile(rb"\A(?:53[05]|-ERR) ")
_REFUSALS = {
    21: _LINE, 25: _LINE, 587: _LINE, 110: _LINE, 23: _TELNET, 2323: _TELNET, 80: _HTTP, 81: _HTTP, 8000: _HTTP,
    8080: _HTTP, 8081: _HTTP, 1883: re.compile(rb"(?s)\A\x20\x02.[\x04\x05]"),
}  # fmt: skip
"""What a server says to a wrong password, by its port (RFC 959, 4954, 1939, 9110 §15.5, MQTT 3.1.1 §3.2.2.3)."""


class _BruteForce(Detector):
    name = "brute_force"
    spec = "RFC 8576 §3"
    rule = f"{_TRIES} log-ins that differ refused, or connections to a log-in port, by one server in {_SECONDS:.0f} s"

    def __init__(self) -> None:
        self._said: PerKey[_Try, int] = PerKey(int)
        self._tries: PerKey[tuple[_Try, str], Window[int | None]] = PerKey(lambda: Window(_SECONDS, 64))

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        asks = (packet.source_mac, packet.destination, packet.destination_port)
        if packet.protocol == TCP and packet.destination_port in _REFUSALS and (packet.payload or opens(packet)):
            # Who is refused the same over and over, its password is old: only what differs is guessed.
            self._said[asks] = 0 if opens(packet) else crc32(packet.payload, self._said[asks])
        if opens(packet) and packet.destination_port in _LOGINS:
            yield from self._try(asks, "connection", packet.source_port, packet.at, scene)
        elif packet.protocol == TCP and (sign := _REFUSALS.get(packet.source_port or 0)) is not None:
            refused = (scene.receiver(packet), packet.source, packet.source_port)
            if sign.search(packet.payload, 0, 128):
                said, self._said[refused] = self._said[refused], 0
                yield from self._try(refused, "refusal", said, packet.at, scene)

    def _try(self, who: _Try, how: str, one: int | None, now: float, scene: Scene) -> Iterator[Detection]:
        window, server = self._tries[who, how], at(who[1], who[2])
        window.add(now, one)
        if window.distinct >= _TRIES:
            shown = [f"{how} {number} at {server}" for number in range(1, window.distinct + 1)]
            why = f"It tried to log in at {server} again and again, each time otherwise: it guesses passwords."
            yield self.found(who[0], scene, subject=server, seen=window.span, evidence=shown, why=why)
            window.clear()


DETECTOR = _BruteForce
