"""Packs of records on the wire: application/senml+cbor and application/senml+json (RFC 8428 §5, §6)."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Never

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.senml.record import DEFAULT_LIMITS, Limits, Record, compact, resolve
from thingstead.protocols.senml.registry import LABELS

__all__ = ["parse_cbor", "parse_json", "render_cbor", "render_json"]

_NAMES = {row.number: row.name for row in LABELS}
_NUMBERS = {row.name: row.number for row in LABELS}
_KINDS = {row.name: row.kind for row in LABELS}
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_DECIMAL_FRACTION = 4
_MAX_DECIMAL_EXPONENT = 400
_MAX_INTEGER_BITS = 64


def parse_cbor(data: bytes, *, at: datetime, limits: Limits = DEFAULT_LIMITS) -> list[Record]:
    """Decode a CBOR pack and resolve its records (RFC 8428 §6).

    Args:
        data: one CBOR array of maps.
        at: the time that relative times are relative to, normally that of reception.
        limits: bounds on the pack.

    Raises:
        DecodeError: not a pack, or over a limit.
        UnsupportedError: a later version, or a label that must be understood and is not.
    """
    root = codec.decode(data, limits=codec.Limits(max_bytes=limits.max_bytes, max_depth=4))
    entries = [_labelled(entry) for entry in _require_pack(root, limits)]
    return resolve([_typed(entry, limits, _CBOR_CHECKS) for entry in entries], at=at)


def render_cbor(records: Sequence[Record]) -> bytes:
    """Encode records with base fields and integer labels (RFC 8428 §6).

    Raises:
        ValueError: a time before 2**28 seconds, which would read as relative.
    """
    return codec.encode(
        [{_NUMBERS.get(label, label): _shortest(value) for label, value in entry.items()} for entry in compact(records)]
    )


def parse_json(text: str | bytes, *, at: datetime, limits: Limits = DEFAULT_LIMITS) -> list[Record]:
    """Decode a JSON pack and resolve its records (RFC 8428 §5).

    Raises:
        DecodeError: not a pack, or over a limit.
        UnsupportedError: a later version, or a label that must be understood and is not.
    """
    if len(text) > limits.max_bytes:
        raise DecodeError(f"expected at most {limits.max_bytes} bytes of SenML, got {len(text)}", spec="RFC 8428 §13")
    try:
        document = text.decode("utf-8") if isinstance(text, bytes) else text
        root = json.loads(document, object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"expected JSON: {error}", spec="RFC 8428 §5") from error
    return resolve([_typed(entry, limits, _JSON_CHECKS) for entry in _require_pack(root, limits)], at=at)


def render_json(records: Sequence[Record]) -> str:
    """Encode records with base fields and text labels; data values in base64url without padding (RFC 8428 §5).

    Raises:
        ValueError: a time before 2**28 seconds, which would read as relative.
    """
    entries = [{label: _json_value(value) for label, value in entry.items()} for entry in compact(records)]
    return json.dumps(entries, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _require_pack(root: Any, limits: Limits) -> list[Mapping[Any, Any]]:
    if not isinstance(root, list) or not root:
        raise DecodeError("expected an array of at least one SenML record", spec="RFC 8428 §4")
    if len(root) > limits.max_records:
        raise DecodeError(f"expected at most {limits.max_records} records, got {len(root)}", spec="RFC 8428 §13")
    for entry in root:
        if not isinstance(entry, dict):
            raise DecodeError("expected a map for each SenML record", spec="RFC 8428 §4")
    return root


def _labelled(entry: Mapping[Any, Any]) -> dict[str, Any]:
    labelled: dict[str, Any] = {}
    for key, value in entry.items():
        name = _NAMES.get(key) if type(key) is int else key
        if not isinstance(name, str) or name in labelled or (isinstance(key, str) and key in _NUMBERS):
            raise DecodeError(f"expected a SenML label once, and as its number, got {key!r:.40}", spec="RFC 8428 §6")
        labelled[name] = value
    return labelled


def _typed(entry: Mapping[str, Any], limits: Limits, checks: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for label, value in entry.items():
        checked = checks[_KINDS.get(label, "extension")](value)
        size = len(checked) if isinstance(checked, str | bytes) else 0
        if max(size, len(label)) > limits.max_text:
            raise DecodeError(f"expected at most {limits.max_text} characters in {label[:20]!r}", spec="RFC 8428 §13")
        typed[label] = checked
    return typed


def _number(value: Any) -> float:
    if isinstance(value, codec.Tag) and value.tag == _DECIMAL_FRACTION:
        value = _decimal_fraction(value.value)
    if type(value) not in {int, float}:
        raise DecodeError(f"expected a number, got {type(value).__name__}", spec="RFC 8428 §4.3")
    if not math.isfinite(value) if isinstance(value, float) else value.bit_length() > _MAX_INTEGER_BITS:
        raise DecodeError("expected a finite number within a double", spec="RFC 8428 §5")
    number: float = value
    return number


def _decimal_fraction(value: Any) -> float:
    match value:
        case [int(exponent), int(mantissa)] if (
            abs(exponent) <= _MAX_DECIMAL_EXPONENT and mantissa.bit_length() <= _MAX_INTEGER_BITS
        ):
            return float(f"{mantissa:d}e{exponent:d}")
    raise DecodeError("expected a decimal fraction of two small integers", spec="RFC 8949 §3.4.4")


def _version(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise DecodeError("expected an unsigned version number", spec="RFC 8428 §6")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise DecodeError(f"expected text, got {type(value).__name__}", spec="RFC 8428 §4.3")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:  # JSON can escape half of a surrogate pair
        raise DecodeError("expected text that UTF-8 can carry", spec="RFC 8428 §5") from error
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise DecodeError(f"expected a boolean, got {type(value).__name__}", spec="RFC 8428 §4.3")
    return value


def _extension(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return _text(value) if isinstance(value, str) else _number(value)


def _cbor_data(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise DecodeError(f"expected a byte string of data, got {type(value).__name__}", spec="RFC 8428 §6")
    return value


def _json_data(value: Any) -> bytes:
    text = _text(value)
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise DecodeError("expected base64url data without padding", spec="RFC 8428 §4.3")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _json_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
    return _shortest(value)


def _shortest(value: Any) -> Any:
    """An integral double as an integer: the same number in fewer bytes."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53 else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry = dict(pairs)
    if len(entry) != len(pairs):
        raise ValueError("a label occurs twice")
    return entry


def _constant(name: str) -> Never:
    raise ValueError(f"{name} is not a number")


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "version": _version,
    "text": _text,
    "boolean": _boolean,
    "extension": _extension,
}
_CBOR_CHECKS = {**_CHECKS, "data": _cbor_data}
_JSON_CHECKS = {**_CHECKS, "data": _json_data}
