"""CoAP messages on a byte stream: framing over TCP and TLS (RFC 8323 §3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.coap import message as datagram
from thingstead.protocols.coap.message import (
    Message,
    MessageType,
    decode_options,
    decode_token_size,
    encode_options,
    encode_token_size,
)

__all__ = ["FrameReader", "Limits", "encode", "encode_as"]

# Extended Length fields by the value of Len: their bytes, and what is added (RFC 8323 §3.2).
_EXTENDED = {13: (1, 13), 14: (2, 269), 15: (4, 65805)}
_RESERVED_TOKEN = 15


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one connection.

    Attributes:
        max_message: bytes of one message, which our CSM announces as Max-Message-Size; under OSCORE no message is
            longer, because the limits of its keys count on that.
        message: bounds on what is in it; its `max_size` is for datagrams and does not count here.
    """

    max_message: int = 4096
    message: datagram.Limits = field(default_factory=datagram.Limits)


def encode(message: Message) -> bytes:
    """Encode for a stream; type and message ID do not exist there (RFC 8323 §3.2).

    Raises:
        ValueError: as for `thingstead.protocols.coap.message.encode`.
    """
    return encode_as(message, message.type, message.mid, message.token)


def encode_as(message: Message, _kind: int, _mid: int, token: bytes) -> bytes:
    """Encode for a stream a message that is given its token only now.

    Raises:
        ValueError: as for `encode`.
    """
    body = encode_options(message.options, message.payload)
    token_nibble, token_size = encode_token_size(len(token))
    length_nibble, length = _extended_length(len(body))
    head = bytes((length_nibble << 4 | token_nibble,)) + length + bytes((message.code,)) + token_size
    return head + token + body


class FrameReader:
    """Cuts a stream into messages, holding at most one that is not complete."""

    __slots__ = ("_buffer", "_limits")

    def __init__(self, limits: Limits) -> None:
        self._buffer = bytearray()
        self._limits = limits

    @property
    def held(self) -> int:
        """Bytes that are not taken out yet."""
        return len(self._buffer)

    def receive(self, data: bytes) -> None:
        """Append what the stream brought; take the messages out before more is appended."""
        self._buffer += data

    def next_message(self) -> Message | None:
        """The next whole message, or None until there is more.

        Raises:
            DecodeError: one that is malformed; after it nobody knows where the next one begins.
            UnsupportedError: one over the limit, told before its body is awaited.
        """
        buffer = self._buffer
        head = _head(buffer)
        if head is None:
            return None
        if head.end > self._limits.max_message:
            raise UnsupportedError(
                f"expected a message of at most {self._limits.max_message} bytes, got {head.end}",
                spec="RFC 8323 §5.3.1",
                reason="too-large",
            )
        if len(buffer) < head.end:
            return None
        frame = bytes(buffer[: head.end])
        del buffer[: head.end]
        options, payload = decode_options(frame, head.body, limits=self._limits.message)
        return Message(frame[head.code], MessageType.NON, 0, frame[head.token : head.body], options, payload)


class _Head(NamedTuple):
    """Where the parts of a message begin, and where it ends."""

    code: int
    token: int
    body: int
    end: int


def _head(data: bytearray) -> _Head | None:
    """None while the head is not whole."""
    if not data:
        return None
    length, nibble = data[0] >> 4, data[0] & 0x0F
    code = 1
    if length > 12:
        width, base = _EXTENDED[length]
        code += width
        length = int.from_bytes(data[1:code], "big") + base
    if nibble == _RESERVED_TOKEN:
        raise DecodeError("expected a token length that is not the reserved 15", spec="RFC 8974 §2.1")
    if len(data) < code + 1 + max(nibble - 12, 0):
        return None
    size, token = decode_token_size(nibble, data, code + 1)
    return _Head(code, token, token + size, token + size + length)


def _extended_length(size: int) -> tuple[int, bytes]:
    if size < 13:
        return size, b""
    for nibble, (width, base) in _EXTENDED.items():
        if size < base + (1 << (8 * width)):
            return nibble, (size - base).to_bytes(width, "big")
    raise ValueError("a message has at most 2**32 + 65804 bytes behind its token (RFC 8323 §3.2)")
