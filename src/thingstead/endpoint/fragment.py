"""OSCORE messages that a proxy sends in pieces: put together before, and cut after, protection (RFC 8613 §4.1.3.4.2).

We never cut a message of ours this way: what is long goes in inner blocks, of which each is verified by itself
(§4.1.3.4.1). Outer pieces are nobody's until the last one is here, so what is held of them is small, and only who
was seen to receive may fetch a response in pieces.
"""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.endpoint.event import Address
from thingstead.protocols.coap.block import (
    Assembly,
    Block,
    IncompleteBodyError,
    Limits,
    Pieces,
    Uploads,
    cut,
    decode_block,
    entity_tag,
)
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.shelf import Shelf
from thingstead.protocols.oscore.limit import key_limits

__all__ = ["Fragments", "Hop", "Reassembly"]

_BLOCK1, _BLOCK2 = int(OptionNumber.BLOCK1), int(OptionNumber.BLOCK2)
_OF_BLOCKS = frozenset((_BLOCK1, _BLOCK2, int(OptionNumber.SIZE1), int(OptionNumber.SIZE2)))
_NOT_NAME = _OF_BLOCKS | {OptionNumber.ECHO}
_Name = tuple[int, tuple[tuple[int, bytes], ...]]


@dataclass(frozen=True, slots=True)
class Hop:
    """How one request came over the last hop, and so how its response goes.

    Attributes:
        block1: the piece that completed it; acknowledged in the response.
        block2: the size of piece that is wanted of the response.
        name: what later pieces of the response are asked for by.
        fragments: where they wait.
    """

    block1: Block | None
    block2: Block | None
    name: tuple[Address, _Name]
    fragments: Fragments

    def piece(self, protected: Message, now: float) -> Message:
        """The response as far as it goes at once; the rest is kept to be fetched."""
        added = [] if self.block1 is None else [(_BLOCK1, self.block1.encode())]
        if self.block2 is None or len(protected.payload) <= self.block2.size:
            return protected.with_options(*added) if added else protected
        self.fragments.keep(self.name, protected, now)
        return _cut(protected, 0, self.block2.szx).with_options(*added)


class Fragments:
    """The server's side: requests in the making, and responses that are being fetched.

    Args:
        limits: bounds of each; its `max_body` is the MAX_UNFRAGMENTED_SIZE of §4.1.3.4.2.
        szx: size exponent of the largest piece of a response.
    """

    __slots__ = ("_responses", "_szx", "_uploads")

    def __init__(self, limits: Limits, *, szx: int) -> None:
        self._szx = szx
        self._uploads = Uploads(limits)
        self._responses: Shelf[Message] = limits.shelf()

    def receive(self, message: Message, source: Address, now: float) -> tuple[Message, Hop | None]:
        """Take a request with outer Block options.

        Returns:
            The whole OSCORE message, without them, and how it came; or our answer, and None: the wish for the next
            piece of the request, or the next piece of a response.

        Raises:
            DecodeError: malformed Block options, or pieces that do not fit together.
            IncompleteBodyError: a piece of a request or response that is not held.
            BodyTooLargeError: the whole would be longer than we take (MAX_UNFRAGMENTED_SIZE).
        """
        name = (source, _name(message))
        block1, block2 = _block(message, _BLOCK1), _block(message, _BLOCK2)
        if block2 is not None:
            block2 = Block(block2.num, False, min(block2.szx, self._szx))
            if block2.num:
                return self._later(name, block2, now), None
        whole = message.with_options(without=_OF_BLOCKS)
        if block1 is not None:
            upload = self._uploads.receive(block1, message.payload, peer=name[0], key=name[1], now=now)
            if upload is None:
                return Message(Code.CONTINUE, options=[(_BLOCK1, block1.encode())]), None
            whole.payload = upload.body
        return whole, Hop(block1, block2, name, self)

    def keep(self, name: tuple[Address, _Name], protected: Message, now: float) -> None:
        """Keep a response whose first piece goes out; where there is no room its later pieces are not found."""
        self._responses.put(*name, protected, size=len(protected.payload), now=now)

    def _later(self, name: tuple[Address, _Name], block: Block, now: float) -> Message:
        protected = self._responses.look(*name, now)
        if protected is None:
            raise IncompleteBodyError("expected a piece of a response that is held", spec="RFC 7959 §2.4")
        return _cut(protected, block.num, block.szx)


class Reassembly:
    """The client's side: one response that comes in outer pieces."""

    __slots__ = ("_assembly", "_head")

    def __init__(self, head: Message, *, aead_id: int) -> None:
        self._assembly = Assembly(key_limits(aead_id).message_size, etag=head.option(OptionNumber.ETAG))
        self._head = head

    def add(self, message: Message) -> Message | None:
        """Take a piece: the whole OSCORE message, or None while there is more to ask for.

        Raises:
            DecodeError, IncompleteBodyError, BodyTooLargeError: as for `Assembly.add`.
        """
        block = decode_block(message.option(_BLOCK2) or b"")
        body = self._assembly.add(block, message.payload, etag=message.option(OptionNumber.ETAG))
        if body is None:
            return None
        whole = self._head.with_options(without=_OF_BLOCKS)
        whole.payload = body
        return whole

    def following(self, request: Message) -> Message:
        """What asks for the next piece: the same OSCORE message, of which only the name is needed."""
        asked = request.with_options((_BLOCK2, self._assembly.following().encode()), without=_OF_BLOCKS)
        asked.payload = b""
        return asked


def _name(message: Message) -> _Name:
    """What all pieces have alike: among it the OSCORE option, so kid and Partial IV, and a proxy's Request-Tag."""
    return message.code, tuple(option for option in message.options if option[0] not in _NOT_NAME)


def _block(message: Message, number: int) -> Block | None:
    value = message.option(number)
    return None if value is None else decode_block(value)


def _cut(protected: Message, num: int, szx: int) -> Message:
    payload, block = cut(protected.payload, num, Pieces(szx))
    tag = (int(OptionNumber.ETAG), entity_tag(protected.payload))
    piece = protected.with_options(tag, (_BLOCK2, block.encode()), without=_OF_BLOCKS)
    piece.payload = payload
    return piece
