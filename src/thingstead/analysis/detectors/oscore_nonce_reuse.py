"""One number used for two messages of OSCORE: their contents show in each other (RFC 8613 §7.2.1; R-26)."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from thingstead.analysis.detectors.detector import Detection, Detector
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.sight import UDP, at
from thingstead.analysis.detectors.window import MAX_KEYS, PerKey
from thingstead.errors import ProtocolError
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.oscore.option import decode_option
from thingstead.protocols.packet.packet import Packet

__all__ = ["DETECTOR"]

_PORTS = frozenset({5683, 61616})
"""CoAP, and what 6LoWPAN compresses best (RFC 7252 §12.6, RFC 6282 §4.3.1)."""
_EDHOC_PATH = "/.well-known/edhoc"


class _OscoreNonceReuse(Detector):
    name = "oscore_nonce_reuse"
    spec = "RFC 8613 §7.2.1"
    rule = "two different ciphertexts of one sender under one Partial IV, with no handshake between"

    def __init__(self) -> None:
        self._handshakes: PerKey[frozenset[bytes], int] = PerKey(int)
        self._seen: PerKey[int, int] = PerKey(int, MAX_KEYS * 4)

    def see(self, packet: Packet, scene: Scene) -> Iterator[Detection]:
        if packet.protocol != UDP or not {packet.source_port, packet.destination_port} & _PORTS:
            return
        ends = packet.source, packet.destination
        pair = frozenset(ends)
        try:
            message = coap.decode(packet.payload)
            value = message.option(OptionNumber.OSCORE)
            if message.option(OptionNumber.EDHOC) is not None or (value is None and message.path == _EDHOC_PATH):
                # Whoever agrees on keys anew begins anew with its numbers (RFC 9528 A.1).
                self._handshakes[pair] += 1
            option = decode_option(value or b"")
        except ProtocolError:
            return
        # Blocks that a proxy cut one message into all say its number (RFC 8613 §4.1.3.4.2).
        if option.partial_iv is None or message.option(OptionNumber.BLOCK1) or message.option(OptionNumber.BLOCK2):
            return
        who = (option.kid, option.kid_context) if option.kid is not None else (packet.destination_port,)
        key = hash((packet.source_mac, ends, who, self._handshakes[pair], option.partial_iv))  # an IP is soon forged
        ciphertext, before = crc32(message.payload) or 1, self._seen[key]
        self._seen[key] = ciphertext
        if before not in (0, ciphertext):
            shown = [f"Partial IV {option.partial_iv.hex()} twice, from {at(packet.source, packet.source_port)}"]
            why, seen = "It protected two messages with one number: who has both can read in them.", (packet.at,) * 2
            yield self.found(packet.source_mac, scene, subject="OSCORE", seen=seen, evidence=shown, why=why)


DETECTOR = _OscoreNonceReuse
