"""The option registry: numbers, formats, lengths and where each comes from (RFC 7252 §12.2 and after)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from thingstead.errors import DecodeError, UnsupportedError

__all__ = [
    "OPTIONS",
    "OptionDefinition",
    "OptionFormat",
    "OptionNumber",
    "UnrecognisedOptionError",
    "decode_uint",
    "encode_uint",
    "forwardable",
    "is_critical",
    "is_no_cache_key",
    "is_unsafe",
    "recognised",
]


class UnrecognisedOptionError(UnsupportedError):
    """A critical option that we do not know, or not in this length or number (4.02, RFC 7252 §5.4.1).

    Attributes:
        number: of that option.
    """

    def __init__(self, number: int, size: int) -> None:
        super().__init__(f"expected no critical option {number} of {size} bytes", spec="RFC 7252 §5.4.1")
        self.number = number


class OptionFormat(IntEnum):
    """RFC 7252 §3.2."""

    EMPTY = 0
    OPAQUE = 1
    UINT = 2
    STRING = 3


class OptionNumber(IntEnum):
    """IANA "CoAP Option Numbers"."""

    IF_MATCH = 1
    URI_HOST = 3
    ETAG = 4
    IF_NONE_MATCH = 5
    OBSERVE = 6
    URI_PORT = 7
    LOCATION_PATH = 8
    OSCORE = 9
    URI_PATH = 11
    CONTENT_FORMAT = 12
    MAX_AGE = 14
    URI_QUERY = 15
    HOP_LIMIT = 16
    ACCEPT = 17
    LOCATION_QUERY = 20
    EDHOC = 21
    BLOCK2 = 23
    BLOCK1 = 27
    SIZE2 = 28
    PROXY_URI = 35
    PROXY_SCHEME = 39
    SIZE1 = 60
    ECHO = 252
    NO_RESPONSE = 258
    REQUEST_TAG = 292


@dataclass(frozen=True, slots=True)
class OptionDefinition:
    """One row of the registry.

    Attributes:
        number: option number; its low bits say critical, unsafe and no-cache-key (RFC 7252 §5.4.6).
        name: IANA name.
        format: of the value.
        min_size: shortest value, in bytes.
        max_size: longest value, in bytes.
        repeatable: may occur more than once.
        source: the clause that defines it.
    """

    number: OptionNumber
    name: str
    format: OptionFormat
    min_size: int
    max_size: int
    repeatable: bool
    source: str


_OPAQUE, _UINT, _STRING, _EMPTY = OptionFormat.OPAQUE, OptionFormat.UINT, OptionFormat.STRING, OptionFormat.EMPTY

OPTIONS: dict[int, OptionDefinition] = {
    row.number: row
    for row in (
        OptionDefinition(OptionNumber.IF_MATCH, "If-Match", _OPAQUE, 0, 8, True, "RFC 7252 §5.10.8.1"),
        OptionDefinition(OptionNumber.URI_HOST, "Uri-Host", _STRING, 1, 255, False, "RFC 7252 §5.10.1"),
        OptionDefinition(OptionNumber.ETAG, "ETag", _OPAQUE, 1, 8, True, "RFC 7252 §5.10.6"),
        OptionDefinition(OptionNumber.IF_NONE_MATCH, "If-None-Match", _EMPTY, 0, 0, False, "RFC 7252 §5.10.8.2"),
        OptionDefinition(OptionNumber.OBSERVE, "Observe", _UINT, 0, 3, False, "RFC 7641 §2"),
        OptionDefinition(OptionNumber.URI_PORT, "Uri-Port", _UINT, 0, 2, False, "RFC 7252 §5.10.1"),
        OptionDefinition(OptionNumber.LOCATION_PATH, "Location-Path", _STRING, 0, 255, True, "RFC 7252 §5.10.7"),
        OptionDefinition(OptionNumber.OSCORE, "OSCORE", _OPAQUE, 0, 255, False, "RFC 8613 §2"),
        OptionDefinition(OptionNumber.URI_PATH, "Uri-Path", _STRING, 0, 255, True, "RFC 7252 §5.10.1"),
        OptionDefinition(OptionNumber.CONTENT_FORMAT, "Content-Format", _UINT, 0, 2, False, "RFC 7252 §5.10.3"),
        OptionDefinition(OptionNumber.MAX_AGE, "Max-Age", _UINT, 0, 4, False, "RFC 7252 §5.10.5"),
        OptionDefinition(OptionNumber.URI_QUERY, "Uri-Query", _STRING, 0, 255, True, "RFC 7252 §5.10.1"),
        OptionDefinition(OptionNumber.HOP_LIMIT, "Hop-Limit", _UINT, 1, 1, False, "RFC 8768 §3"),
        OptionDefinition(OptionNumber.ACCEPT, "Accept", _UINT, 0, 2, False, "RFC 7252 §5.10.4"),
        OptionDefinition(OptionNumber.LOCATION_QUERY, "Location-Query", _STRING, 0, 255, True, "RFC 7252 §5.10.7"),
        OptionDefinition(OptionNumber.EDHOC, "EDHOC", _EMPTY, 0, 0, False, "RFC 9668 §3.1"),
        OptionDefinition(OptionNumber.BLOCK2, "Block2", _UINT, 0, 3, False, "RFC 7959 §2.1"),
        OptionDefinition(OptionNumber.BLOCK1, "Block1", _UINT, 0, 3, False, "RFC 7959 §2.1"),
        OptionDefinition(OptionNumber.SIZE2, "Size2", _UINT, 0, 4, False, "RFC 7959 §4"),
        OptionDefinition(OptionNumber.PROXY_URI, "Proxy-Uri", _STRING, 1, 1034, False, "RFC 7252 §5.10.2"),
        OptionDefinition(OptionNumber.PROXY_SCHEME, "Proxy-Scheme", _STRING, 1, 255, False, "RFC 7252 §5.10.2"),
        OptionDefinition(OptionNumber.SIZE1, "Size1", _UINT, 0, 4, False, "RFC 7252 §5.10.9"),
        OptionDefinition(OptionNumber.ECHO, "Echo", _OPAQUE, 1, 40, False, "RFC 9175 §2.2.1"),
        OptionDefinition(OptionNumber.NO_RESPONSE, "No-Response", _UINT, 0, 1, False, "RFC 7967 §2"),
        OptionDefinition(OptionNumber.REQUEST_TAG, "Request-Tag", _OPAQUE, 0, 8, True, "RFC 9175 §3.2.1"),
    )
}


def is_critical(number: int) -> bool:
    """An unknown one makes the message unacceptable (RFC 7252 §5.4.1)."""
    return bool(number & 1)


def recognised(options: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The options that count (RFC 7252 §5.4): the list as it is, or without what must be treated as not recognised.

    That is an option of a length it may not have, and every repetition of one that may not be repeated.

    Raises:
        UnsupportedError: a critical option among those, or one that we do not know (4.02).
    """
    last = -1
    for number, value in options:
        row = OPTIONS.get(number)
        if row is None:
            if number & 1:
                raise UnrecognisedOptionError(number, len(value))
        elif not row.min_size <= len(value) <= row.max_size or (number == last and not row.repeatable):
            if number & 1:
                raise UnrecognisedOptionError(number, len(value))
            return _without_malformed(options)
        last = number
    return options


def forwardable(options: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The options as a proxy takes them: what it does not know, and is safe, is for the other end (RFC 7252 §5.7.1).

    Raises:
        UnsupportedError: as for `recognised`, and an unsafe option that we do not know, critical or not.
    """
    for number, value in options:
        if is_unsafe(number) and number not in OPTIONS:
            raise UnrecognisedOptionError(number, len(value))
    strange = [option for option in options if option[0] not in OPTIONS]
    known = recognised([option for option in options if option[0] in OPTIONS] if strange else options)
    return sorted([*known, *strange], key=_by_number) if strange else known


def _by_number(option: tuple[int, bytes]) -> int:
    return option[0]


def _without_malformed(options: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    kept: list[tuple[int, bytes]] = []
    last = -1
    for number, value in options:
        row = OPTIONS.get(number)
        counts = row is None or (row.min_size <= len(value) <= row.max_size and (number != last or row.repeatable))
        if counts or number & 1:
            kept.append((number, value))
            last = number
    return recognised(kept)


def is_unsafe(number: int) -> bool:
    """A proxy that does not know it must not forward it (RFC 7252 §5.4.2)."""
    return bool(number & 2)


def is_no_cache_key(number: int) -> bool:
    """Safe to forward and not part of the cache key (RFC 7252 §5.4.6)."""
    return number & 0x1E == 0x1C


def encode_uint(value: int) -> bytes:
    """Shortest big-endian form; 0 is empty (RFC 7252 §3.2)."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def decode_uint(value: bytes) -> int:
    """Value of a uint option; leading zeros are tolerated (RFC 7252 §3.2).

    Raises:
        DecodeError: longer than 4 bytes.
    """
    if len(value) > 4:
        raise DecodeError(f"expected a uint option of at most 4 bytes, got {len(value)}", spec="RFC 7252 §3.2")
    return int.from_bytes(value, "big")
