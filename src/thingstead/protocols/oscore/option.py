"""The OSCORE option: the COSE header of a protected message in its compressed form (RFC 8613 §6.1)."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.errors import DecodeError
from thingstead.protocols.coap.registry import OscoreFlag

__all__ = ["MAX_PARTIAL_IV", "OscoreOption", "decode_option", "decode_partial_iv", "encode_option", "encode_partial_iv"]

MAX_PARTIAL_IV = (1 << 40) - 1
"""The largest sender sequence number: 5 bytes (RFC 8613 §7.2.1)."""

_PARTIAL_IV_SIZE = int(OscoreFlag.PARTIAL_IV_SIZE)
_KID = int(OscoreFlag.KID)
_KID_CONTEXT = int(OscoreFlag.KID_CONTEXT)
_GROUP = int(OscoreFlag.GROUP)
_FLAGS = frozenset(flags for flags in range(1, sum(OscoreFlag) + 1) if flags & _PARTIAL_IV_SIZE <= 5)
"""Neither reserved bits nor lengths, nor a byte that says nothing."""

_SPEC = "RFC 8613 §6.1"


@dataclass(slots=True)
class OscoreOption:
    """What an OSCORE option says; a field that is None is absent, which differs from empty.

    Attributes:
        partial_iv: 1..5 bytes without leading zeros; zero is one zero byte.
        kid: the sender's Sender ID, 0..7 bytes.
        kid_context: the sender's ID Context, 0..255 bytes.
        group: protected in group mode, countersigned (RFC 10021 §4).
    """

    partial_iv: bytes | None = None
    kid: bytes | None = None
    kid_context: bytes | None = None
    group: bool = False


def decode_option(value: bytes) -> OscoreOption:
    """Decode an option value.

    Raises:
        DecodeError: a reserved flag bit or Partial IV length, fields that run over the end, bytes behind the last
            field, a zero flag byte that should have been left out, or a Partial IV with leading zeros.
    """
    size = len(value)
    if not size:
        return OscoreOption()
    flags = value[0]
    end = 1 + (flags & _PARTIAL_IV_SIZE)
    if flags not in _FLAGS:
        raise DecodeError(f"expected OSCORE flag bits without reserved ones, got 0x{flags:02x}", spec=_SPEC)
    if size < end or (end > 2 and value[1] == 0):
        raise DecodeError(f"expected a Partial IV of {end - 1} bytes without leading zeros", spec=_SPEC)
    partial_iv = value[1:end] if end > 1 else None
    kid_context = None
    if flags & _KID_CONTEXT:
        if end == size or size < end + 1 + value[end]:
            raise DecodeError("expected a kid context within the option", spec=_SPEC)
        start = end + 1
        end = start + value[end]
        kid_context = value[start:end]
    if flags & _KID:
        return OscoreOption(partial_iv, value[end:], kid_context, flags & _GROUP != 0)
    if end != size:
        raise DecodeError(f"expected the option to end at byte {end}, got {size} bytes", spec=_SPEC)
    return OscoreOption(partial_iv, None, kid_context, flags & _GROUP != 0)


def encode_option(option: OscoreOption) -> bytes:
    """Encode an option value; all flags zero is the empty value.

    Raises:
        ValueError: a Partial IV or kid context longer than its length field can say.
    """
    partial_iv = option.partial_iv or b""
    if len(partial_iv) > 5:
        raise ValueError("a Partial IV has at most 5 bytes (RFC 8613 §6.1)")
    flags = len(partial_iv)
    parts = [partial_iv]
    if option.kid_context is not None:
        if len(option.kid_context) > 255:
            raise ValueError("a kid context has at most 255 bytes on the wire (RFC 8613 §6.1)")
        flags |= _KID_CONTEXT
        parts.append(bytes((len(option.kid_context),)) + option.kid_context)
    if option.kid is not None:
        flags |= _KID
        parts.append(option.kid)
    if option.group:
        flags |= _GROUP
    return bytes((flags,)) + b"".join(parts) if flags else b""


def encode_partial_iv(sequence_number: int) -> bytes:
    """Network byte order without leading zeros; 0 is one zero byte (RFC 8613 §5)."""
    return sequence_number.to_bytes((sequence_number.bit_length() + 7) // 8 or 1, "big")


def decode_partial_iv(partial_iv: bytes) -> int:
    """The sequence number in a Partial IV."""
    return int.from_bytes(partial_iv, "big")
