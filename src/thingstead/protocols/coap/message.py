"""One CoAP message and its bytes over UDP (RFC 7252 §3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from thingstead.errors import DecodeError
from thingstead.protocols.coap.option import decode_uint, encode_uint
from thingstead.protocols.coap.registry import OPTIONS, Code, OptionNumber

__all__ = [
    "MAX_TOKEN",
    "Limits",
    "Message",
    "MessageType",
    "decode",
    "decode_options",
    "decode_token_size",
    "encode",
    "encode_as",
    "encode_options",
    "encode_token_size",
    "request",
]

MAX_TOKEN = 65804
"""Bytes of the longest token that a message can say (RFC 8974 §2.1)."""

_URI_PATH = int(OptionNumber.URI_PATH)


class MessageType(IntEnum):
    """RFC 7252 §4."""

    CON = 0
    NON = 1
    ACK = 2
    RST = 3


_TYPES = {0b0100 | kind: kind for kind in MessageType}
"""The first four bits of a message: version 1, and its type."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one message.

    Attributes:
        max_size: bytes of a datagram.
        max_options: options of one message.
        max_token: bytes of a token that a server serves; a longer one is read, to be refused (RFC 8974 §2.2.2).
    """

    max_size: int = 1500
    max_options: int = 64
    max_token: int = 64


_DEFAULT_LIMITS = Limits()


@dataclass(slots=True, init=False)
class Message:
    """A CoAP message; not changed once it is built (not frozen, for the price of frozen on every packet).

    Attributes:
        code: one octet; see `Code`. Codes we do not know stay plain integers.
        type: CON, NON, ACK or RST; meaningless over a reliable transport.
        mid: message ID, 16 bits; meaningless over a reliable transport.
        token: 0..8 bytes, longer only towards who is known to take it (RFC 8974 §2).
        options: (number, value) in ascending order of number; equal numbers keep their order.
        payload: empty when there is none.
    """

    code: int
    type: MessageType
    mid: int
    token: bytes
    options: list[tuple[int, bytes]]
    payload: bytes

    # Written out because the generated one takes a third longer, three times in each request.
    def __init__(
        self,
        code: int,
        type: MessageType = MessageType.CON,  # noqa: A002  the field's name
        mid: int = 0,
        token: bytes = b"",
        options: list[tuple[int, bytes]] | None = None,
        payload: bytes = b"",
    ) -> None:
        self.code = code
        self.type = type
        self.mid = mid
        self.token = token
        self.options = [] if options is None else options
        self.payload = payload

    def option(self, number: int) -> bytes | None:
        """The first value of an option, or None."""
        for this, value in self.options:
            if this == number:
                return value
            if this > number:
                break
        return None

    def option_values(self, number: int) -> list[bytes]:
        """All values of a repeatable option."""
        return [value for this, value in self.options if this == number]

    def uint_option(self, number: int) -> int | None:
        """The first value of a uint option, or None.

        Raises:
            DecodeError: a value of more than 4 bytes.
        """
        value = self.option(number)
        return None if value is None else decode_uint(value)

    @property
    def path(self) -> str:
        """``/a/b`` from the Uri-Path segments; ``%`` and ``/`` inside a segment are shown as ``%25`` and ``%2F``.

        Two different lists of segments never show the same path, so a decision may rest on it.

        Raises:
            DecodeError: a segment that is not UTF-8, or is ``.`` or ``..`` (RFC 7252 §5.10.1).
        """
        return "/" + "/".join([_segment(value) for number, value in self.options if number == _URI_PATH])

    @property
    def queries(self) -> list[str]:
        """The Uri-Query arguments.

        Raises:
            DecodeError: an argument that is not UTF-8.
        """
        return [_text(value) for number, value in self.options if number == OptionNumber.URI_QUERY]

    def with_options(self, *added: tuple[int, bytes], without: frozenset[int] = frozenset()) -> Message:
        """A copy that has `added` and lacks every option whose number is in `without`."""
        options = [option for option in self.options if option[0] not in without]
        options.extend(added)
        options.sort(key=_number)
        return Message(self.code, self.type, self.mid, self.token, options, self.payload)


def request(
    code: Code,
    path: str,
    *,
    payload: bytes = b"",
    content_format: int | None = None,
    query: tuple[str, ...] = (),
) -> Message:
    """A request for ``/a/b`` without token and message ID, which the endpoint gives it."""
    options = [(int(OptionNumber.URI_PATH), segment.encode()) for segment in path.split("/") if segment]
    if content_format is not None:
        options.append((OptionNumber.CONTENT_FORMAT, encode_uint(content_format)))
    options.extend((OptionNumber.URI_QUERY, item.encode()) for item in query)
    return Message(code, options=options, payload=payload)


def decode(data: bytes, *, limits: Limits = _DEFAULT_LIMITS) -> Message:
    """Decode a datagram.

    Raises:
        DecodeError: version other than 1, a reserved token length, an option that runs over the end, a payload
            marker without payload, an Empty message with more than 4 bytes, or over a limit (RFC 7252 §3, §4.1).
    """
    size = len(data)
    if not 4 <= size <= limits.max_size:
        raise DecodeError(f"expected a datagram of 4 to {limits.max_size} bytes, got {size}", spec="RFC 7252 §3")
    first = data[0]
    kind = _TYPES.get(first >> 4)
    if kind is None:
        raise DecodeError(f"expected CoAP version 1, got {first >> 6}", spec="RFC 7252 §3", reason="version")
    start, token_end = 4, 4 + (first & 0x0F)
    if token_end > 16:
        length, start = decode_token_size(first & 0x0F, data, 4)
        token_end = start + length
    if token_end > size:
        raise DecodeError(f"expected a token within the message, got length {token_end - start}", spec="RFC 7252 §3")
    code = data[1]
    if code == 0 and size != 4:
        raise DecodeError(f"expected an Empty message of 4 bytes, got {size}", spec="RFC 7252 §4.1")
    options, payload = decode_options(data, token_end, limits=limits)
    return Message(code, kind, data[2] << 8 | data[3], data[start:token_end], options, payload)


def decode_token_size(nibble: int, data: bytes | bytearray, offset: int) -> tuple[int, int]:
    """Length of the token that follows, and where it starts (RFC 8974 §2.1).

    Args:
        nibble: the TKL field.
        data: the message.
        offset: behind the fixed part of its header, where an extended length would stand.

    Raises:
        DecodeError: the reserved value 15, or an extended length that runs over the end.
    """
    return _extended(data, offset, nibble)


def encode_token_size(size: int) -> tuple[int, bytes]:
    """TKL field and extended length for a token of `size` bytes (RFC 8974 §2.1).

    Raises:
        ValueError: over `MAX_TOKEN`.
    """
    if size > MAX_TOKEN:
        raise ValueError(f"a token has at most {MAX_TOKEN} bytes (RFC 8974 §2.1)")
    return _extend(size)


def decode_options(
    data: bytes, offset: int, *, limits: Limits = _DEFAULT_LIMITS
) -> tuple[list[tuple[int, bytes]], bytes]:
    """Decode options and payload from `offset` to the end (RFC 7252 §3.1; also the OSCORE plaintext).

    Raises:
        DecodeError: a reserved delta or length, a value that runs over the end, an empty payload behind a marker,
            or too many options.
    """
    options: list[tuple[int, bytes]] = []
    number = 0
    size = len(data)
    while offset < size:
        delta, length = _NIBBLES[data[offset]]
        offset += 1
        if delta > 12 or length > 12:
            if delta == length == 15:
                if offset == size:
                    raise DecodeError("expected a payload behind the payload marker", spec="RFC 7252 §3")
                return options, data[offset:]
            delta, offset = _extended(data, offset, delta)
            length, offset = _extended(data, offset, length)
        number += delta
        end = offset + length
        if end > size or number > 0xFFFF or len(options) == limits.max_options:
            raise DecodeError(
                f"expected an option within the message, got number {number} of {length} bytes", spec="RFC 7252 §3.1"
            )
        options.append((number, data[offset:end]))
        offset = end
    return options, b""


def encode(message: Message) -> bytes:
    """Encode for UDP.

    Raises:
        ValueError: a token over `MAX_TOKEN`, options out of order, or a value longer than its option allows.
    """
    return encode_as(message, message.type, message.mid, message.token)


def encode_as(message: Message, kind: int, mid: int, token: bytes) -> bytes:
    """Encode for UDP a message that is given type, message ID and token only now.

    Raises:
        ValueError: as for `encode`.
    """
    nibble = len(token)
    if nibble > 8:
        nibble, extended = encode_token_size(nibble)
        token = extended + token
    head = bytes((0x40 | kind << 4 | nibble, message.code, mid >> 8, mid & 0xFF))
    return head + token + encode_options(message.options, message.payload)


def encode_options(options: list[tuple[int, bytes]], payload: bytes) -> bytes:
    """Encode options, marker and payload (RFC 7252 §3.1; also the OSCORE plaintext).

    Raises:
        ValueError: options out of order, or a value longer than its option allows.
    """
    if not options:
        return b"\xff" + payload if payload else b""
    encoded = b""
    last = 0
    for number, value in options:
        delta, length = number - last, len(value)
        if length > _MAX_SIZES.get(number, length):
            raise ValueError(f"{OPTIONS[number].title} holds at most {_MAX_SIZES[number]} bytes, got {length}")
        if 0 <= delta < 13 and length < 13:
            encoded += _SHORT_HEADS[delta << 4 | length] + value
        elif delta < 0:
            raise ValueError(f"option {number} stands behind option {last}")
        else:
            delta_nibble, delta_bytes = _extend(delta)
            length_nibble, length_bytes = _extend(length)
            encoded += _SHORT_HEADS[delta_nibble << 4 | length_nibble] + delta_bytes + length_bytes + value
        last = number
    return encoded + b"\xff" + payload if payload else encoded


_MAX_SIZES = {number: row.max_size for number, row in OPTIONS.items()}
_NIBBLES = tuple((head >> 4, head & 0x0F) for head in range(256))
_SHORT_HEADS = tuple(bytes((head,)) for head in range(256))


def _extended(data: bytes | bytearray, offset: int, nibble: int) -> tuple[int, int]:
    if nibble < 13:
        return nibble, offset
    if nibble == 13 and offset < len(data):
        return data[offset] + 13, offset + 1
    if nibble == 14 and offset + 1 < len(data):
        return int.from_bytes(data[offset : offset + 2], "big") + 269, offset + 2
    raise DecodeError("expected an extended length within the message, not the reserved 15", spec="RFC 7252 §3.1")


def _extend(value: int) -> tuple[int, bytes]:
    if value < 13:
        return value, b""
    if value < 269:
        return 13, bytes((value - 13,))
    return 14, (value - 269).to_bytes(2, "big")


def _number(option: tuple[int, bytes]) -> int:
    return option[0]


def _segment(value: bytes) -> str:
    segment = _text(value)
    if segment in {".", ".."}:
        raise DecodeError(f"expected a path segment, got {segment!r}", spec="RFC 7252 §5.10.1")
    return segment.replace("%", "%25").replace("/", "%2F")


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise DecodeError("expected UTF-8 in a string option", spec="RFC 7252 §3.2") from None
