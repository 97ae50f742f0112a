"""Concise problem details: what went wrong, in CBOR, for machines and for people (RFC 9290)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import ContentFormat, OptionNumber, ProblemKey

__all__ = ["Problem", "decode_problem", "encode_problem", "with_problem"]

_LANGUAGE_TAG = 38
_FORMAT = (int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.CONCISE_PROBLEM_DETAILS_CBOR))
_LIMITS = codec.Limits(max_bytes=1024, max_depth=8, max_items=64)


_FIELDS: dict[int, str] = {int(row): row.name.lower() for row in ProblemKey}
"""Key -> field of `Problem`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The details of one error; a peer's are hints that nothing is decided by.

    Attributes:
        title: the kind of problem, the same each time; a person reads it.
        detail: this occurrence of it.
        instance: URI reference of this occurrence.
        response_code: the CoAP code, where a proxy may have changed it.
        base_uri: what `instance` and URIs in custom entries are relative to.
        base_lang: language tag of texts that have none.
        base_rtl: direction of those: right to left, left to right, or None when it is not known.
        unprocessed_options: numbers of options that were not understood.
        custom: entries under a number or a URI, each a map.
    """

    title: str | None = None
    detail: str | None = None
    instance: str | None = None
    response_code: int | None = None
    base_uri: str | None = None
    base_lang: str | None = None
    base_rtl: bool | None = None
    unprocessed_options: tuple[int, ...] = ()
    custom: Mapping[int | str, Mapping[Any, Any]] = field(default_factory=dict)


def encode_problem(problem: Problem) -> bytes:
    """Encode for Content-Format 257.

    Raises:
        ValueError: nothing is said at all (RFC 9290 §2).
    """
    said: dict[int | str, Any] = dict(problem.custom)
    for key, name in _FIELDS.items():
        value = getattr(problem, name)
        if key == ProblemKey.UNPROCESSED_OPTIONS and value:
            said[key] = value[0] if len(value) == 1 else list(value)
        elif key != ProblemKey.UNPROCESSED_OPTIONS and value is not None:
            said[key] = value
    if not said:
        raise ValueError("problem details say something, or are not there (RFC 9290 §2)")
    return codec.encode(said)


def with_problem(response: Message, problem: Problem) -> Message:
    """An error response that says what the problem is."""
    told = response.with_options(_FORMAT)
    told.payload = encode_problem(problem)
    return told


def decode_problem(data: bytes) -> Problem:
    """Decode problem details of at most 1 KiB; standard keys that we do not know are passed over.

    Raises:
        DecodeError: not one map that says something, or an entry of another type than its key has.
    """
    said = codec.decode(data, limits=_LIMITS)
    if not isinstance(said, Mapping) or not said:
        raise DecodeError("expected a map of problem details", spec="RFC 9290 §2")
    standard: dict[str, Any] = {}
    custom: dict[int | str, Mapping[Any, Any]] = {}
    for key, value in said.items():
        if _is_number(key) and key < 0:
            name = _FIELDS.get(key)
            if name is not None:
                standard[name] = _READERS[name](value)
        elif (_is_number(key) or isinstance(key, str)) and isinstance(value, Mapping) and value:
            custom[key] = value
        else:
            raise DecodeError("expected a custom entry to be a map under a number or a URI", spec="RFC 9290 §3.2")
    return Problem(**standard, custom=custom)


def _text(value: Any) -> str:
    """A text, or one with its language (RFC 9290 appendix A), of which the language is not kept."""
    if isinstance(value, codec.Tag) and value.tag == _LANGUAGE_TAG:
        parts = value.value
        if isinstance(parts, list | tuple) and len(parts) in {2, 3} and isinstance(parts[1], str):
            return parts[1]
    return _plain(value)


def _plain(value: Any) -> str:
    if not isinstance(value, str):
        raise DecodeError("expected text", spec="RFC 9290 §2")
    return value


def _code(value: Any) -> int:
    if not _is_number(value) or not 0 <= value <= 0xFF:
        raise DecodeError("expected a code of one octet", spec="RFC 9290 §2")
    return int(value)


def _direction(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise DecodeError("expected a direction to be true, false or null", spec="RFC 9290 §2")
    return value


def _options(value: Any) -> tuple[int, ...]:
    numbers = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not numbers or not all(_is_number(number) and 0 <= number <= 0xFFFF for number in numbers):
        raise DecodeError("expected option numbers", spec="RFC 9290 §3.1")
    return numbers


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_READERS = {
    "title": _text,
    "detail": _text,
    "instance": _plain,
    "response_code": _code,
    "base_uri": _plain,
    "base_lang": _plain,
    "base_rtl": _direction,
    "unprocessed_options": _options,
}
