"""Which options count, and what their numbers and values say (RFC 7252 §3.2, §5.4)."""

from __future__ import annotations

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.coap.registry import OPTIONS, OptionNumber

__all__ = [
    "UnrecognisedOptionError",
    "decode_uint",
    "encode_uint",
    "forwardable",
    "is_critical",
    "is_no_cache_key",
    "is_unsafe",
    "recognised",
    "recognised_in_response",
]

_BOUNDS = {number: (row.min_size, row.max_size, row.repeatable) for number, row in OPTIONS.items()}
"""What of the registry is asked of every option of every message, where it is found fastest."""


_OF_REQUESTS = frozenset(
    int(number)
    for number in (
        OptionNumber.IF_MATCH,
        OptionNumber.URI_HOST,
        OptionNumber.IF_NONE_MATCH,
        OptionNumber.URI_PORT,
        OptionNumber.URI_PATH,
        OptionNumber.URI_QUERY,
        OptionNumber.HOP_LIMIT,
        OptionNumber.ACCEPT,
        OptionNumber.EDHOC,
        OptionNumber.PROXY_URI,
        OptionNumber.PROXY_SCHEME,
        OptionNumber.NO_RESPONSE,
        OptionNumber.REQUEST_TAG,
    )
)


class UnrecognisedOptionError(UnsupportedError):
    """A critical option that we do not know, or not in this length or number (4.02, RFC 7252 §5.4.1).

    Attributes:
        number: of that option.
    """

    def __init__(self, number: int, size: int) -> None:
        super().__init__(f"expected no critical option {number} of {size} bytes", spec="RFC 7252 §5.4.1")
        self.number = number


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
        bounds = _BOUNDS.get(number)
        if bounds is None:
            if number & 1:
                raise UnrecognisedOptionError(number, len(value))
        elif not bounds[0] <= len(value) <= bounds[1] or (number == last and not bounds[2]):
            if number & 1:
                raise UnrecognisedOptionError(number, len(value))
            return _without_malformed(options)
        last = number
    return options


def recognised_in_response(options: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The same of a response: what is defined for requests alone is not recognised there (RFC 7252 §5.4).

    Raises:
        UnsupportedError: as for `recognised`.
    """
    kept = [option for option in options if option[0] not in _OF_REQUESTS]
    if len(kept) < len(options):
        for number, value in options:
            if number & 1 and number in _OF_REQUESTS:
                raise UnrecognisedOptionError(number, len(value))
    return recognised(kept)


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
        bounds = _BOUNDS.get(number)
        counts = bounds is None or (bounds[0] <= len(value) <= bounds[1] and (number != last or bounds[2]))
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
