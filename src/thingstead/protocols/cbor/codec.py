"""Encode and decode CBOR, deterministically out, strictly in (RFC 8949 §4.2.1, §5.3).

Every tag comes out as a plain `Tag`: no tag makes a date, a regular expression, a shared reference
or a big number behind the caller's back.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import cbor2
from cbor2 import CBORDecoder, CBOREncoder, CBORSimpleValue, frozendict, undefined
from cbor2 import CBORTag as Tag

from thingstead.errors import DecodeError

__all__ = [
    "DEFAULT_LIMITS",
    "Limits",
    "SimpleValue",
    "Tag",
    "decode",
    "decode_deterministic",
    "decode_prefix",
    "decode_sequence",
    "encode",
    "encode_sequence",
    "undefined",
]

SimpleValue = CBORSimpleValue


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a peer may make us decode.

    Attributes:
        max_bytes: size of one encoded input, in bytes.
        max_depth: nesting of arrays, maps and tags.
        max_items: data items of one sequence.
    """

    max_bytes: int = 1 << 20
    max_depth: int = 16
    max_items: int = 256


DEFAULT_LIMITS = Limits()

_BYTE_STRING_HEADS = tuple([cbor2.dumps(bytes(size))[: 1 + (size > 23)] for size in range(256)])
_SMALL_INTEGERS = tuple([cbor2.dumps(number) for number in range(256)])

# Every tag number that cbor2 gives a meaning to; the rest comes out as a tag by itself.
_BUILT_IN_TAGS = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)


def encode(value: Any) -> bytes:
    """Encode with core deterministic encoding: shortest heads and floats, map keys by their bytes (RFC 8949 §4.2.1)."""
    # Every key derivation and signature wraps a few of these: by table they cost a fifth.
    if type(value) is bytes and len(value) < 256:
        return _BYTE_STRING_HEADS[len(value)] + value
    if type(value) is int and 0 <= value < 256:
        return _SMALL_INTEGERS[value]
    return cbor2.dumps(value, canonical=True, encoders=_ENCODERS)


def encode_sequence(*values: Any) -> bytes:
    """Encode a CBOR sequence (RFC 8742)."""
    return b"".join([encode(value) for value in values])


def decode(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Any:
    """Decode exactly one data item.

    Returns:
        int, bytes, str, list, dict, bool, None, float, `Tag`, `SimpleValue` or `undefined`.
        A map key that is itself an array or map comes out as a tuple or frozen map.

    Raises:
        DecodeError: not well-formed, trailing bytes, a duplicate map key, or over a limit.
    """
    if len(data) > limits.max_bytes:
        raise _too_long(data, limits)
    stream = BytesIO(data)
    value = _decode_item(stream, limits)
    if (end := stream.tell()) != len(data):
        raise DecodeError(
            f"expected one CBOR item, got {len(data) - end} bytes behind it at offset {end}", spec="RFC 8949 §5.3.1"
        )
    return value


def decode_prefix(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> tuple[Any, int]:
    """Decode the first data item of `data`; return it and the offset behind it.

    Raises:
        DecodeError: as for `decode`, trailing bytes excepted.
    """
    if len(data) > limits.max_bytes:
        raise _too_long(data, limits)
    stream = BytesIO(data)
    value = _decode_item(stream, limits)
    return value, stream.tell()


def decode_sequence(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> list[Any]:
    """Decode a CBOR sequence of any length up to ``limits.max_items`` (RFC 8742).

    Raises:
        DecodeError: an item is not well-formed, or there are too many.
    """
    if len(data) > limits.max_bytes:
        raise _too_long(data, limits)
    stream = BytesIO(data)
    items: list[Any] = []
    while stream.tell() < len(data):
        if len(items) == limits.max_items:
            raise DecodeError(f"expected at most {limits.max_items} items in a CBOR sequence", spec="RFC 8742 §3")
        items.append(_decode_item(stream, limits))
    return items


def decode_deterministic(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Any:
    """Decode one item that must be in core deterministic encoding (RFC 8949 §4.2.1).

    Raises:
        DecodeError: as for `decode`, or another encoding of the same value.
    """
    value = decode(data, limits=limits)
    # What stands in order already needs no sorting, which is most of the price.
    if (cbor2.dumps(value) if _is_in_order(value) else encode(value)) != data:
        raise DecodeError("expected deterministic CBOR: shortest heads, sorted keys", spec="RFC 8949 §4.2.1")
    return value


def _is_in_order(value: Any) -> bool:
    """Whether a plain encoder writes a decoded value deterministically; False where that takes a look at its bytes.

    Unsigned keys sort as numbers do, and no float is in shortest form by itself.
    """
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind is list:
        return all(type(item) in _PLAIN or _is_in_order(item) for item in value)
    if kind is not dict:
        return False
    last = -1
    for key, item in value.items():
        if type(key) is not int or key <= last or not (type(item) in _PLAIN or _is_in_order(item)):
            return False
        last = key
    return True


def _too_long(data: bytes, limits: Limits) -> DecodeError:
    return DecodeError(f"expected at most {limits.max_bytes} bytes of CBOR, got {len(data)}", spec="RFC 8949 §10")


def _decode_item(stream: BytesIO, limits: Limits) -> Any:
    """Decode one item; the stream then stands behind it, whatever the decoder has read ahead."""
    decoder = CBORDecoder(
        stream,
        max_depth=limits.max_depth,
        allow_duplicate_keys=False,
        semantic_decoders=_NEUTRAL,
    )
    try:
        return decoder.decode()
    except (cbor2.CBORDecodeError, ValueError, OverflowError, TypeError, RecursionError, MemoryError) as error:
        raise DecodeError(f"expected well-formed CBOR: {error}", spec="RFC 8949 §5.3.1") from error


def _neutral(number: int) -> Any:
    def wrap(value: Any, _immutable: bool) -> Tag:
        return Tag(number, value)

    return wrap


def _encode_map(encoder: CBOREncoder, value: dict[Any, Any]) -> None:
    entries = sorted([(encode(key), item) for key, item in value.items()], key=_encoded_key)
    encoder.encode_length(5, len(entries))
    for key, item in entries:
        encoder.write(key)
        encoder.encode(item)


def _encoded_key(entry: tuple[bytes, Any]) -> bytes:
    return entry[0]


_PLAIN = frozenset({int, bytes, str, bool, type(None)})
_NEUTRAL = {number: _neutral(number) for number in _BUILT_IN_TAGS}
_ENCODERS = cast("Any", {dict: _encode_map, frozendict: _encode_map})
"""Inside a tag, and as a key, a map comes out as a frozen one."""
