"""Whether anybody else changed our tables: another firewall that is loaded anew begins by emptying them all.

The kernel numbers its transactions. As long as the number is what ours made it, nobody else had one; otherwise its
notices tell whose tables were changed, and where more came than fits, ours are taken for changed.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Callable, Iterator

from thingstead.enforcement.netlink import Message, NetfilterSocket, NetlinkError, parse_attributes

__all__ = ["ForeignChanges"]

_NETFILTER = 12
_GROUP = 1 << 6
"""NFNLGRP_NFTABLES, in the mask of groups."""

_NEW_GENERATION, _GET_GENERATION = 10 << 8 | 15, 10 << 8 | 16
_NUMBER, _PROGRAM = 1, 3
_HEADER = struct.Struct("=IHHII")
_FAMILY_HEADER = 4
_RECEIVE_BYTES = 1 << 18
_SOMEBODY = "somebody"


class ForeignChanges:
    """Follows the transactions of everybody in the network namespace where it is made.

    Args:
        ours: by which we change tables.
        table: name of ours, in each family.
    """

    def __init__(self, ours: NetfilterSocket, table: str) -> None:
        self._ours = ours
        self._own_port: int = ours.detach().getsockname()[0]
        self._name = table.encode() + b"\0"
        self._notices = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETFILTER)
        self._notices.bind((0, _GROUP))
        self._notices.setblocking(False)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._number = self.number()

    def number(self) -> int:
        """Of the newest transaction.

        Raises:
            NetlinkError: the kernel does not tell.
        """
        (answer,) = self._ours.ask(Message(_GET_GENERATION, 0, socket.AF_UNSPEC, b""))
        return int.from_bytes(dict(parse_attributes(answer))[_NUMBER], "big")

    def committed(self, transactions: int = 1) -> None:
        """So many were ours."""
        self._number = (self._number + transactions) % (1 << 32)

    def begin(self, number: int) -> None:
        """Look no further back; the newest transaction is ours, and has this number if nobody else had one."""
        self._drain()
        self._number = number

    def by(self) -> str:
        """Which program changed a table of ours since this was last asked; empty where none did.

        Raises:
            NetlinkError: the kernel tells nothing any more.
        """
        newest = self.number()
        program = self._drain()
        if newest == self._number:
            return ""
        self._number = newest
        return program

    def attend(self, call: Callable[[], None]) -> None:
        """Have `call`, which asks `by`, called by the running event loop whenever anybody changed any table."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._notices, call)

    def close(self) -> None:
        """Hear no more notices."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._notices)
        self._notices.close()

    def _drain(self) -> str:
        found, touched = "", False
        for kind, port, body in self._told():
            if port == self._own_port:
                continue
            attributes = dict(parse_attributes(body))
            if kind != _NEW_GENERATION:
                # Whatever is told of: a table's own name, or that of the table it is in.
                touched = touched or attributes.get(1) == self._name
            elif touched:
                found, touched = attributes.get(_PROGRAM, b"").rstrip(b"\0").decode("ascii", "replace"), False
        return found or (_SOMEBODY if touched else "")

    def _told(self) -> Iterator[tuple[int, int, bytes]]:
        """Kind, port of who did it, and attributes of each notice."""
        while True:
            try:
                data = self._notices.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise NetlinkError(error.errno or errno.EIO, "to tell of changes") from error
                yield 0, 0, struct.pack("=HH", 4 + len(self._name), 1) + self._name
                continue
            offset = 0
            while offset + _HEADER.size <= len(data):
                length, kind, _flags, _sequence, port = _HEADER.unpack_from(data, offset)
                yield kind, port, data[offset + _HEADER.size + _FAMILY_HEADER : offset + length]
                offset += (length + 3) & ~3
