"""One explicit nonce used for two records of TLS 1.2 or DTLS 1.2 (RFC 5288 §3, RFC 6655 §3; R-26)."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import TCP, UDP, at
from thingstead.analysis.detectors.window import MAX_KEYS, PerKey
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_HEADERS = {TCP: (b"\x03\x03", 5), UDP: (b"\xfe\xfd", 13)}
"""Version on the wire, and octets before the fragment (RFC 5246 §6.2.1, RFC 6347 §4.1)."""
_HANDSHAKE, _DATA, _NONCE, _MOST_RECORDS = 22, 23, 8, 16


class _TlsNonceReuse(Detector):
    name = "tls_nonce_reuse"
    spec = "RFC 5288 §3"
    rule = "two different records of one connection that begin with the same eight octets, with no handshake between"

    def __init__(self) -> None:
        self._handshakes: PerKey[int, int] = PerKey(int)
        self._seen: PerKey[int, int] = PerKey(int, MAX_KEYS * 4)

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if packet.protocol not in _HEADERS or len(packet.payload) < 5 + _NONCE:
            return
        ends = ((packet.source, packet.source_port), (packet.destination, packet.destination_port))
        pair = hash(frozenset(ends))
        for kind, fragment in _records(packet.payload, *_HEADERS[packet.protocol]):
            if kind == _HANDSHAKE:
                self._handshakes[pair] += 1
            elif kind == _DATA and len(fragment) > _NONCE:
                # With the interface: what another sent under this address is no fault of who has it.
                key = hash((packet.source_mac, ends, self._handshakes[pair], fragment[:_NONCE]))
                record, before = crc32(fragment) or 1, self._seen[key]
                self._seen[key] = record
                if before not in (0, record):
                    shown = f"nonce {fragment[:_NONCE].hex()} twice, from {at(*ends[0])} to {at(*ends[1])}"
                    why = "It protected two records with one number: whoever recorded both can read in them."
                    seen = (packet.at, packet.at)
                    yield self.found(packet.source_mac, scene, subject="TLS", seen=seen, evidence=[shown], why=why)


def _records(data: bytes, version: bytes, header: int) -> Iterator[tuple[int, bytes]]:
    """Type and fragment of each record that is whole."""
    for _ in range(_MOST_RECORDS):
        end = header + int.from_bytes(data[header - 2 : header])
        if data[1:3] != version or len(data) < end:
            return
        yield data[0], data[header:end]
        data = data[end:]


DETECTOR = _TlsNonceReuse
