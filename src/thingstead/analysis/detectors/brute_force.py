"""Names and passwords tried one after the other (RFC 8576 §3, threat 1; Mirai)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import TCP, at, opens
from thingstead.analysis.detectors.window import PerKey, Window
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_SECONDS, _TRIES = 120.0, 8
_LOGINS = frozenset({22, 23, 2222, 2323})
"""Where a connection is a try: a session is one connection, and a thing has few."""
_TELNET = re.compile(rb"(?i)incorrect|failed|denied")
_HTTP = re.compile(rb"\AHTTP/1\.[01] 40[13] ")
_MAIL = re.compile(rb"\A535 ")
_REFUSALS = {
    21: re.compile(rb"\A530 "), 25: _MAIL, 587: _MAIL, 110: re.compile(rb"\A-ERR "), 23: _TELNET, 2323: _TELNET,
    80: _HTTP, 81: _HTTP, 8000: _HTTP, 8080: _HTTP, 8081: _HTTP, 1883: re.compile(rb"(?s)\A\x20\x02.[\x04\x05]"),
}  # fmt: skip
"""What a server says to a wrong password, by its port (RFC 959, 4954, 1939, 9110 §15.5, MQTT 3.1.1 §3.2.2.3)."""


class _BruteForce(Detector):
    name = "brute_force"
    spec = "RFC 8576 §3"
    rule = f"{_TRIES} log-ins refused, or connections to a log-in port, by one server within {_SECONDS:.0f} s"

    def __init__(self) -> None:
        self._tries: PerKey[tuple[bytes, str, str], Window[int | None]] = PerKey(lambda: Window(_SECONDS, 64))

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if opens(packet) and packet.destination_port in _LOGINS:
            server, port = at(packet.destination, packet.destination_port), packet.source_port
            yield from self._try((packet.source_mac, server, "connection"), port, packet.at, scene)
        elif packet.protocol == TCP and (sign := _REFUSALS.get(packet.source_port or 0)) is not None:
            server, port = at(packet.source, packet.source_port), packet.destination_port
            if sign.search(packet.payload, 0, 128):
                yield from self._try((scene.receiver(packet), server, "refusal"), port, packet.at, scene)

    def _try(self, key: tuple[bytes, str, str], port: int | None, now: float, scene: Scene) -> Iterator[Detection]:
        window, (device, server, how) = self._tries[key], key
        if window.add(now, port) >= _TRIES:
            yield self.found(
                device,
                scene,
                subject=server,
                seen=window.span,
                evidence=[f"{how} from port {one} with {server}" for one in window.values()],
                why=f"It tried to log in at {server} again and again: it guesses passwords.",
            )
            window.clear()


DETECTOR = _BruteForce
