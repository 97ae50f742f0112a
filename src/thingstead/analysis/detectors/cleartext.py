"""Secrets, and what tells of persons, readable by everybody on the way (RFC 8576 §3, threat 5; §5.9)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector, Severity
from thingstead.analysis.detectors.plain_text import readable
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import TCP, UDP, at, host, is_group
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_FTP = re.compile(rb"\A(?i:PASS) \S")
_MQTT_CONNECT = re.compile(rb"(?s)\A\x10.{1,4}\x00(?:\x04MQTT|\x06MQIsdp)[\x03-\x05][\x40-\x7f\xc0-\xff]")
"""CONNECT with the flag of a password (MQTT 3.1.1 §3.1.2.3); where the port is another than of MQTT over TLS."""
_TLS = frozenset({20, 21, 22, 23})
"""Content types; a record has its version behind it (RFC 8446 §5.1)."""


class _Cleartext(Detector):
    name = "cleartext"
    spec = "RFC 8576 §3"
    rule = "a password, token, place or mail address that can be read in a packet"
    severity = Severity.NOTICE

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        payload = packet.payload
        if len(payload) < 8 or packet.protocol not in (TCP, UDP) or is_group(packet):
            return
        if (payload[0] in _TLS and payload[1] in (3, 254)) or packet.source_mac in scene.gateways:
            return
        what = readable(payload)
        if packet.protocol == TCP and (_FTP.match(payload) or _MQTT_CONNECT.match(payload)):
            what = "password"
        if what is not None:
            remote, named = at(packet.destination, packet.destination_port), what.replace("_", " ")
            yield self.found(
                packet.source_mac,
                scene,
                subject=f"{named}, {host(packet.destination)}",
                seen=(packet.at, packet.at),
                evidence=[f"{named} in clear in {len(payload)} octets to {remote}"],
                why=f"It sends a {named} to {remote} so that everybody on the way can read it.",
            )


DETECTOR = _Cleartext
