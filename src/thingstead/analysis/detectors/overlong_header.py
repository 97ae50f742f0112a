"""A header line longer than anything needs: what has broken web servers and TR-069 clients (RFC 9110 §5.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import TCP, at
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_MOST = 1024
_BEGINS = re.compile(rb"(?:GET|POST|PUT|HEAD|OPTIONS|DELETE|SUBSCRIBE|NOTIFY|DESCRIBE) |HTTP/1\.[01] ")
_LONG = re.compile(rb"(?:\A|\n)([A-Za-z0-9-]{1,64})?:?[^\r\n]{%d}" % _MOST)
_ENTITY = b"\r\n\r\n"


class _OverlongHeader(Detector):
    name = "overlong_header"
    spec = "RFC 9110 §5.4"
    rule = f"a request line or header field of HTTP with more than {_MOST} octets to a device on the site"

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if packet.protocol != TCP or len(packet.payload) <= _MOST or scene.is_outside(packet.destination):
            return
        if not _BEGINS.match(packet.payload):
            return
        long = _LONG.search(packet.payload.partition(_ENTITY)[0])
        if long is not None:
            target, field = at(packet.destination, packet.destination_port), (long[1] or b"the request line").decode()
            yield self.found(
                packet.source_mac,
                scene,
                subject=target,
                seen=(packet.at, packet.at),
                evidence=[f"{field} has more than {_MOST} octets, from {at(packet.source, packet.source_port)}"],
                why=f"It sent {target} a header that no client sends: it tries to break in there.",
            )


DETECTOR = _OverlongHeader
