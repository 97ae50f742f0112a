"""Block-wise transfer: the Block options and bodies in pieces, each way (RFC 7959, RFC 8323 §6, RFC 9175 §3)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from thingstead.crypto.digest import digest
from thingstead.errors import DecodeError, ProtocolError, StateError
from thingstead.protocols.coap.shelf import Shelf, Shelved

__all__ = [
    "BERT",
    "Assembly",
    "Block",
    "BodySender",
    "BodyTooLargeError",
    "IncompleteBodyError",
    "Limits",
    "Pieces",
    "Upload",
    "Uploads",
    "cut",
    "decode_block",
    "entity_tag",
]

_ETAG_SIZE = 8
_MAX_BLOCKS = 1 << 20
Head: TypeAlias = tuple[tuple[int, bytes], ...]

BERT = 7
"""Size exponent over a reliable transport: any number of blocks of 1024 bytes in one message (RFC 8323 §6)."""


class IncompleteBodyError(StateError):
    """A block that does not follow the one before it; the body is forgotten (4.08, RFC 7959 §2.9.2)."""

    reason = "incomplete"


class BodyTooLargeError(ProtocolError):
    """A body beyond what we hold (4.13, RFC 7959 §2.9.3).

    Attributes:
        limit: bytes that would be accepted; travels back in Size1.
    """

    reason = "too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"expected a body of at most {limit} bytes", spec="RFC 7959 §2.9.3")
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on bodies in the making.

    Attributes:
        max_body: bytes of one body.
        max_bodies: bodies at one time.
        max_bodies_per_peer: bodies of one peer at one time; its oldest gives way.
        max_total: bytes of all bodies together.
        max_age: seconds that a body may rest without a new block.
    """

    max_body: int = 1 << 20
    max_bodies: int = 64
    max_bodies_per_peer: int = 4
    max_total: int = 16 << 20
    max_age: float = 247.0

    def shelf(self) -> Shelf[Any]:
        """An empty shelf within these bounds."""
        return Shelf(
            max_items=self.max_bodies,
            max_items_per_peer=self.max_bodies_per_peer,
            max_bytes=self.max_total,
            max_age=self.max_age,
        )


class Block(NamedTuple):
    """The value of a Block1 or Block2 option (RFC 7959 §2.2).

    Attributes:
        num: which block, in blocks of this size.
        more: more blocks follow.
        szx: size exponent 0..6: 16 to 1024 bytes; or `BERT`.
    """

    num: int
    more: bool
    szx: int

    @property
    def size(self) -> int:
        """Bytes of a full block."""
        return 16 << min(self.szx, 6)

    @property
    def offset(self) -> int:
        """Where in the body the block starts, in bytes."""
        return self.num << _shift(self.szx)

    def encode(self) -> bytes:
        """0 to 3 bytes.

        Raises:
            ValueError: a block number over 20 bits; choose a larger size.
        """
        if self.num >= _MAX_BLOCKS:
            raise ValueError("a block number has at most 20 bits (RFC 7959 §2.2)")
        value = self.num << 4 | self.more << 3 | self.szx
        return value.to_bytes((value.bit_length() + 7) // 8, "big")


class Pieces(NamedTuple):
    """How a body is cut on one transport.

    Attributes:
        szx: size exponent of its blocks.
        per_message: blocks in one message; more than one with `BERT` alone.
        slack: bytes by which a body may be longer and still go whole: what protection added to a block elsewhere.
    """

    szx: int
    per_message: int = 1
    slack: int = 0

    @property
    def room(self) -> int:
        """Bytes of a body that go into one message."""
        return self.per_message << _shift(self.szx)

    @property
    def whole(self) -> int:
        """Bytes of the longest body that is not cut."""
        return self.room + self.slack

    def at_most(self, szx: int) -> Pieces:
        """What is left when the peer wants blocks of exponent `szx`."""
        return self if szx >= self.szx else Pieces(szx)


def decode_block(value: bytes, *, bert: bool = False) -> Block:
    """Decode a Block option; `bert` is for reliable transports.

    Raises:
        DecodeError: over 3 bytes, or, without `bert`, the reserved size exponent 7 (RFC 7959 §2.2).
    """
    if len(value) > 3:
        raise DecodeError(f"expected a Block option of at most 3 bytes, got {len(value)}", spec="RFC 7959 §2.2")
    number = int.from_bytes(value, "big")
    if number & 7 == BERT and not bert:
        raise DecodeError("expected a block size exponent of 0 to 6, got the reserved 7", spec="RFC 7959 §2.2")
    return Block(number >> 4, bool(number & 8), number & 7)


def cut(body: bytes, num: int, pieces: Pieces) -> tuple[bytes, Block]:
    """What goes into one message of `body` from block `num` on, and its option value.

    Raises:
        DecodeError: the body ends before this block (4.00, RFC 7959 §2.4).
    """
    start = num << _shift(pieces.szx)
    end = start + pieces.room
    if start and start >= len(body):
        raise DecodeError(f"expected a block of a body of {len(body)} bytes, got number {num}", spec="RFC 7959 §2.4")
    return body[start:end], Block(num, end < len(body), pieces.szx)


def entity_tag(body: bytes) -> bytes:
    """An ETag of 8 bytes made of the body alone, so that it survives what we forget (RFC 7959 §2.4)."""
    return digest(body)[:_ETAG_SIZE]


class BodySender:
    """A request body on its way out in Block1 pieces (RFC 7959 §2.5).

    `piece` is what to send now; `acknowledge` moves on.
    """

    __slots__ = ("_body", "_offset", "_pieces")

    def __init__(self, body: bytes, pieces: Pieces) -> None:
        self._body = body
        self._offset = 0
        self._pieces = pieces

    @property
    def size(self) -> int:
        """Bytes of the whole body, for Size1."""
        return len(self._body)

    @property
    def is_at_end(self) -> bool:
        """Whether what is to be sent now is the last of the body."""
        return len(self._body) - self._offset <= self._pieces.room

    def piece(self) -> tuple[Block, bytes]:
        """The block to send now and its bytes."""
        payload, block = cut(self._body, self._offset >> _shift(self._pieces.szx), self._pieces)
        return block, payload

    def acknowledge(self, block: Block) -> bool:
        """Move behind the block that the peer acknowledged; True when the body is through.

        Args:
            block: Block1 of the response: our number, and the size that the peer would rather have.

        Raises:
            DecodeError: it acknowledges another block than the one sent, or asks for larger ones, or for ones too
                small to number all of the body.
        """
        sent, payload = self.piece()
        if block.num != sent.num or block.szx > sent.szx or not self._fits(block.szx):
            raise DecodeError(f"expected an acknowledgement of block {sent.num}, got {block.num}", spec="RFC 7959 §2.5")
        self._offset += len(payload)
        self._pieces = self._pieces.at_most(block.szx)
        return self._offset >= len(self._body)

    def restart(self) -> None:
        """Start again, as a 4.08 asked: the peer has lost what it had (RFC 7959 §2.9.2)."""
        self._offset = 0

    def shrink(self, szx: int) -> bool:
        """Start again in smaller blocks, as a 4.13 asked (RFC 7959 §2.9.3); False when they are not smaller."""
        if szx >= self._pieces.szx or not self._fits(szx):
            return False
        self._offset = 0
        self._pieces = Pieces(szx)
        return True

    def _fits(self, szx: int) -> bool:
        return len(self._body) <= _MAX_BLOCKS << _shift(szx)


class Assembly:
    """One body coming in, block by block, in order.

    Attributes:
        head: options that block 0 alone had.
    """

    __slots__ = ("_body", "_etag", "_limit", "_szx", "head")

    def __init__(self, limit: int, *, etag: bytes | None = None, head: Head = ()) -> None:
        self.head = head
        self._body = bytearray()
        self._etag = etag
        self._limit = limit
        self._szx = BERT

    def __len__(self) -> int:
        return len(self._body)

    def add(self, block: Block, payload: bytes, *, etag: bytes | None = None) -> bytes | None:
        """Append a block; the body when this was the last one.

        Raises:
            IncompleteBodyError: it does not start where the last one ended, or is of another ETag.
            BodyTooLargeError: the body would grow over its limit, or over what block numbers can name.
            DecodeError: larger blocks than before, or one that is neither full nor last (RFC 7959 §2.2, §2.3).
        """
        if etag != self._etag:
            raise IncompleteBodyError("expected blocks of one ETag, got one of another state", spec="RFC 7959 §2.4")
        if block.offset != len(self._body):
            raise IncompleteBodyError(
                f"expected the block at offset {len(self._body)}, got {block.offset}", spec="RFC 7959 §2.9.2"
            )
        if block.szx > self._szx:
            raise DecodeError("expected blocks that stay or shrink in size, got larger ones", spec="RFC 7959 §2.3")
        if not _is_full(block, payload):
            raise DecodeError(f"expected a block of {block.size} bytes, got {len(payload)}", spec="RFC 7959 §2.2")
        if len(self._body) + len(payload) > min(self._limit, _MAX_BLOCKS << _shift(block.szx)):
            raise BodyTooLargeError(self._limit)
        self._szx = block.szx
        self._body += payload
        return None if block.more else bytes(self._body)

    def following(self) -> Block:
        """The Block2 value that asks for what comes next."""
        return Block(len(self._body) >> _shift(self._szx), False, self._szx)


class Upload(NamedTuple):
    """A request body that is whole.

    Attributes:
        body: the bytes of all its blocks.
        head: options that its block 0 alone had.
    """

    body: bytes
    head: Head


class Uploads(Shelved[Assembly]):
    """Request bodies coming in from many peers, bounded in number, size and age.

    A body is known by its peer and its key: what the caller takes as one operation, which is the method,
    the options of the cache key and the Request-Tag (RFC 9175 §3.3).

    Attributes:
        max_body: bytes of the longest body that is taken.
    """

    __slots__ = ("max_body",)

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits.shelf())
        self.max_body = limits.max_body

    def receive(
        self, block: Block, payload: bytes, *, peer: Hashable, key: Hashable, now: float, head: Head = ()
    ) -> Upload | None:
        """Take one Block1 request; the whole body when it was the last one, with the `head` that came with block 0.

        Block 0 starts the body anew. An error forgets the body; nothing of it stays held.

        Raises:
            IncompleteBodyError: a gap, or a body that we do not (any longer) know (4.08).
            BodyTooLargeError: over the limit of one body, or of all of them (4.13).
            DecodeError: see `Assembly.add` (4.00).
        """
        assembly = self._shelf.take(peer, key, now)
        if block.num == 0:
            assembly = Assembly(self.max_body, head=head)
        elif assembly is None:
            raise IncompleteBodyError("expected block 0 of this body first", spec="RFC 7959 §2.9.2")
        body = assembly.add(block, payload)
        if body is None and not self._shelf.put(peer, key, assembly, size=len(assembly), now=now):
            raise BodyTooLargeError(self.max_body)
        return None if body is None else Upload(body, assembly.head)

    def expire(self, now: float) -> None:
        """Drop what has rested for too long."""
        self._shelf.expire(now)


def _shift(szx: int) -> int:
    return min(szx, 6) + 4


def _is_full(block: Block, payload: bytes) -> bool:
    """Whether a block has the length that its option says; the last of a body may be shorter."""
    if block.szx == BERT:
        return not block.more or (len(payload) % block.size == 0 and len(payload) > 0)
    return len(payload) == block.size if block.more else len(payload) <= block.size
