"""What a bystander reads of a CoAP datagram: written for these tests, so that it shares no fault with the product."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OSCORE", "Oscore", "Wire", "edhoc_connection", "parse", "read_oscore"]

OSCORE = 9
_NEW_SESSION = 0xF5
_EXTENDED = {13: (1, 13), 14: (2, 269)}


@dataclass(frozen=True, slots=True)
class Wire:
    """A datagram (RFC 7252 §3): of repeated options the last."""

    code: int
    token: bytes
    options: dict[int, bytes]
    payload: bytes

    @property
    def is_request(self) -> bool:
        return 0 < self.code < 32

    @property
    def is_response(self) -> bool:
        return self.code >= 64


@dataclass(frozen=True, slots=True)
class Oscore:
    """The OSCORE option (RFC 8613 §6.1) or its group form, as far as it names a nonce."""

    partial_iv: bytes | None
    kid_context: bytes | None
    kid: bytes | None


def parse(data: bytes) -> Wire:
    size = data[0] & 15
    token, at = data[4 : 4 + size], 4 + size
    options: dict[int, bytes] = {}
    number = 0
    while at < len(data) and data[at] != 0xFF:
        first, at = data[at], at + 1
        delta, at = _extended(first >> 4, data, at)
        length, at = _extended(first & 15, data, at)
        number += delta
        options[number] = data[at : at + length]
        at += length
    return Wire(data[1], token, options, data[at + 1 :])


def read_oscore(value: bytes) -> Oscore:
    if not value:
        return Oscore(None, None, None)
    flags, size = value[0], value[0] & 7
    at = 1 + size
    kid_context = None
    if flags & 0x10:
        kid_context = value[at + 1 : at + 1 + value[at]]
        at += 1 + value[at]
    return Oscore(value[1 : 1 + size] if size else None, kid_context, value[at:] if flags & 8 else None)


def edhoc_connection(payload: bytes) -> bytes | None:
    """The connection identifier in front of message_3 (RFC 9528 appendix A.2); None if this is message_1."""
    if payload[0] == _NEW_SESSION:
        return None
    if payload[0] >> 5 == 2:
        return payload[1 : 1 + (payload[0] & 31)]
    return payload[:1]


def _extended(nibble: int, data: bytes, at: int) -> tuple[int, int]:
    size, offset = _EXTENDED.get(nibble, (0, nibble))
    return int.from_bytes(data[at : at + size], "big") + offset, at + size
