"""A body on its way into a slot, block by block, that goes on where it was interrupted (RFC 7959 §2.4).

What is on disk of it is believed for as long as it takes: the digest at the end says whether it fits together. An
entity-tag says earlier that it does not.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from thingstead.agent.ports import Download, Slots
from thingstead.agent.story import Request, Wait
from thingstead.errors import DecodeError, ThingsteadError, TransportError
from thingstead.protocols.coap.block import Block, decode_block
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber

__all__ = ["fetch"]

_SZX = 6
_BLOCK = 16 << _SZX
_SECTOR = 4096
_STRIDE = 4 * _SECTOR
"""Bytes that a power cut may cost: each stride is flushed, and the word that it is there after it."""

_TIMEOUT = 100.0
"""Seconds for one block; longer than a message is repeated (RFC 7252 §4.8.2)."""

_MAX_RESTARTS = 3


def fetch(slots: Slots, goal: Download, *, asked: Message, size: int) -> Generator[Request | Wait, Any, bool]:
    """Fetch `size` bytes by a GET to where `goal` says; its entity-tag and size are not looked at.

    Returns:
        Whether some of it was there before.

    Raises:
        TransportError: it did not come, or not all of it; what came is kept.
        DecodeError: the body has another size.
        StorageError: the disk did not take it.
    """
    intake = _Intake(slots, goal, size)
    was_there = intake.offset > 0
    try:
        while intake.offset < size:
            intake.take((yield from _ask(asked.with_options((OptionNumber.BLOCK2, intake.following())))))
    except TransportError:
        intake.keep()
        raise
    intake.keep()
    return was_there


def _ask(message: Message) -> Generator[Request | Wait, Any, Message]:
    try:
        answer: Message = yield Request(message, timeout=_TIMEOUT)
    except ThingsteadError as error:
        # Whatever ended the download says nothing about the release.
        raise TransportError(f"the image did not come: {error}", reason=error.reason) from error
    return answer


class _Intake:
    """Bytes that came: first in memory, sector by sector in the slot, stride by stride on disk."""

    def __init__(self, slots: Slots, goal: Download, size: int) -> None:
        self._slots = slots
        self._size = size
        self._sector = bytearray()
        self._szx = _SZX
        self._unkept = 0
        self._restarts = 0
        self._etag: bytes | None = None
        held = slots.download()
        self._download = replace(goal, etag=b"", size=0)
        if held is not None and replace(held, etag=b"", size=0) == self._download:
            there = min(held.size, size, slots.size(goal.area, goal.component))
            # The whole is taken as it is, else from the start of a block on.
            self._begin(there if there == size else there - there % _BLOCK, held.etag)
        else:
            self._begin(0, None)

    @property
    def offset(self) -> int:
        """Bytes that are here."""
        return self._download.size + self._unkept + len(self._sector)

    def following(self) -> bytes:
        """The Block2 value that asks for what comes next."""
        return Block(self.offset >> (self._szx + 4), False, self._szx).encode()

    def take(self, answer: Message) -> None:
        """Take one block.

        Raises:
            TransportError: it is none, or the body changes faster than it can be fetched.
            DecodeError: not the block that was asked for, or of a body of another size.
            StorageError: the disk did not take it.
        """
        if answer.code != Code.CONTENT and not (self.offset and answer.code == Code.BAD_REQUEST):
            raise TransportError(f"the image did not come: {code_name(answer.code)}", reason="refused")
        etag = answer.option(OptionNumber.ETAG) or b""
        if self._etag not in {None, etag} or answer.code != Code.CONTENT:
            self._restart()
            return
        value = answer.option(OptionNumber.BLOCK2)
        block = Block(0, False, _SZX) if value is None else decode_block(value)
        end = self.offset + len(answer.payload)
        if block.offset != self.offset or block.szx > self._szx:
            raise DecodeError(f"expected the block at {self.offset}, got {block.offset}", spec="RFC 7959 §2.4")
        if block.more != (end < self._size) or end > self._size or (block.more and len(answer.payload) != block.size):
            raise DecodeError(f"expected an image of {self._size} bytes, got another", reason="size")
        self._etag, self._szx = etag, block.szx
        self._append(answer.payload)

    def keep(self) -> None:
        """What is here is on disk, and the word that it is."""
        self._write()
        if self._unkept:
            self._download = replace(self._download, etag=self._etag or b"", size=self._download.size + self._unkept)
            self._unkept = 0
            self._slots.keep(self._download)

    def _append(self, data: bytes) -> None:
        self._sector += data
        if len(self._sector) >= _SECTOR:
            self._write()
        if self._unkept >= _STRIDE:
            self.keep()

    def _write(self) -> None:
        if self._sector:
            offset = self._download.size + self._unkept
            self._slots.write(self._download.area, self._download.component, offset, bytes(self._sector))
            self._unkept += len(self._sector)
            self._sector.clear()

    def _restart(self) -> None:
        self._restarts += 1
        if self._restarts > _MAX_RESTARTS:
            raise TransportError("the image changes faster than it is fetched", reason="incomplete")
        self._szx = _SZX
        self._begin(0, None)

    def _begin(self, offset: int, etag: bytes | None) -> None:
        """From here on; before anything is written at the start, nothing says any more that something is there."""
        if not offset:
            self._slots.keep(None)
        self._download, self._etag = replace(self._download, size=offset), etag
        self._sector.clear()
        self._unkept = 0
        self._slots.truncate(self._download.area, self._download.component, offset)
