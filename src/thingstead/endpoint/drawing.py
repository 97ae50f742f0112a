"""CoAP messages as people read them: one line each, and an exchange as a ladder."""

from __future__ import annotations

from thingstead.errors import DecodeError, ThingsteadError
from thingstead.protocols.coap.block import decode_block
from thingstead.protocols.coap.code import code_name, is_request, is_signal
from thingstead.protocols.coap.content_format import media_type
from thingstead.protocols.coap.message import Message, decode
from thingstead.protocols.coap.option import decode_uint
from thingstead.protocols.coap.registry import CODES, OPTIONS, OptionFormat, OptionNumber
from thingstead.protocols.oscore.option import decode_option

__all__ = ["Ladder", "code_text", "describe"]

_BLOCKS = frozenset({int(OptionNumber.BLOCK1), int(OptionNumber.BLOCK2)})
_FORMATS = frozenset({int(OptionNumber.CONTENT_FORMAT), int(OptionNumber.ACCEPT)})
_IN_URI = frozenset({int(OptionNumber.URI_PATH), int(OptionNumber.URI_QUERY)})
_LONGEST_VALUE = 40


def code_text(code: int) -> str:
    """A code in words: ``GET``, ``2.05 Content``."""
    row = CODES.get(code)
    if row is not None and is_request(code):
        return row.title
    return code_name(code) if row is None else f"{code_name(code)} {row.title}"


def describe(message: Message, *, reliable: bool = False) -> str:
    """A message on one line, text of a peer made printable; what is protected stays hidden.

    Args:
        message: any.
        reliable: it went over TCP, where type and message ID mean nothing.
    """
    words = [code_text(message.code)] if message.code or reliable else []
    if not reliable:
        words.insert(0, message.type.name)
    if is_request(message.code):
        words.append(_target(message))
    if is_signal(message.code):
        # Its numbers are of another registry (RFC 8323 §5.2).
        parts = [f"option {number} {value.hex()}".rstrip() for number, value in message.options]
    else:
        parts = [_option(number, value) for number, value in message.options if number not in _IN_URI]
    if message.payload:
        parts.append(f"{len(message.payload)} bytes")
    ids = [] if reliable else [f"{message.mid:04x}"]
    if message.token:
        ids.append(f"token {message.token.hex()}")
    said = ", ".join([" ".join(words), *parts]) + (f" [{', '.join(ids)}]" if ids else "")
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in said)


class Ladder:
    """Two parties and what goes between them, drawn one rung per message.

    Args:
        left: who draws, or whose side one is on.
        right: the peer.
        width: of the space between the rails.
    """

    def __init__(self, left: str, right: str, *, width: int = 76) -> None:
        self._left = left
        self._right = right
        self._width = width

    def head(self) -> str:
        """The line that names the parties."""
        return f"{self._left:>9} │{'':{self._width}}│ {self._right}"

    def rung(self, seconds: float, message: Message | bytes, *, rightward: bool, reliable: bool = False) -> str:
        """One message.

        Args:
            seconds: since the first.
            message: or its datagram, whatever it holds.
            rightward: from left to right.
            reliable: it went over TCP.
        """
        text = _text(message, reliable=reliable)[: self._width - 6]
        line = f" {text} ".center(self._width - 2, "─")
        return f"{seconds:>8.3f}s │{line}─▶│" if rightward else f"{seconds:>8.3f}s │◀─{line}│"


def _text(message: Message | bytes, *, reliable: bool) -> str:
    if isinstance(message, Message):
        return describe(message, reliable=reliable)
    try:
        return describe(decode(message))
    except DecodeError:
        return f"{len(message)} bytes that are no CoAP message"


def _target(message: Message) -> str:
    try:
        path = message.path
        queries = message.queries
    except DecodeError:
        return "(a path that is none)"
    return path + (f"?{'&'.join(queries)}" if queries else "")


def _option(number: int, value: bytes) -> str:
    row = OPTIONS.get(number)
    name = f"option {number}" if row is None else row.title
    try:
        if number in _BLOCKS:
            block = decode_block(value)
            return f"{name} {block.num}/{int(block.more)}/{16 << block.szx}"
        if number == OptionNumber.OSCORE:
            return _oscore(value)
        if number in _FORMATS:
            return f"{name} {media_type(decode_uint(value))}"
        if row is not None and row.format is OptionFormat.UINT:
            return f"{name} {decode_uint(value)}"
        if row is not None and row.format is OptionFormat.STRING:
            return f"{name} {value.decode()[:_LONGEST_VALUE]}"
    except (ThingsteadError, UnicodeDecodeError):
        return f"{name} malformed"
    return f"{name} {value.hex()[:_LONGEST_VALUE]}".rstrip()


def _oscore(value: bytes) -> str:
    """Who protected it, and under which number; a response under its request's number has neither."""
    option = decode_option(value)
    kid = "" if option.kid is None else f" kid {option.kid.hex() or 'empty'}"
    number = "" if option.partial_iv is None else f" number {int.from_bytes(option.partial_iv, 'big')}"
    return f"OSCORE{kid}{number}"
