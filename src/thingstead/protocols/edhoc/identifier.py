"""Byte string identifiers and their one-byte forms on the wire (RFC 9528 §3.3.2)."""

from __future__ import annotations

from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

__all__ = ["decode_identifier", "encode_identifier"]


def encode_identifier(identifier: bytes) -> bytes:
    """Encode C_I, C_R or a kid: a byte that is itself the CBOR of an integer goes as it is."""
    if len(identifier) == 1 and _is_integer(identifier[0]):
        return identifier
    return codec.encode(identifier)


def decode_identifier(value: Any) -> bytes:
    """The byte string that a decoded CBOR item stands for.

    Raises:
        DecodeError: neither an integer from -24 to 23 nor a byte string, or a byte string that has an integer form.
    """
    if type(value) is int and -24 <= value <= 23:
        return codec.encode(value)
    if isinstance(value, bytes) and not (len(value) == 1 and _is_integer(value[0])):
        return value
    raise DecodeError("expected an identifier in its only form, integer or byte string", spec="RFC 9528 §3.3.2")


def _is_integer(byte: int) -> bool:
    return byte <= 0x17 or 0x20 <= byte <= 0x37
