"""Talk to the kernel's nftables, conntrack and routes over netlink: one batch is one transaction.

libnftables reads the whole ruleset back before it changes one element; here a change costs what it changes.
Attribute numbers are those of linux/netfilter/nf_tables.h and nfnetlink_conntrack.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from thingstead.errors import TransportError

__all__ = [
    "Attributes",
    "Message",
    "NetfilterSocket",
    "NetlinkError",
    "RouteSocket",
    "attribute",
    "in_batches",
    "nested",
    "parse_attributes",
]

Attributes = dict[int, bytes]

_HEADER = struct.Struct("=IHHII")
_GENERIC = struct.Struct("!BBH")
_REQUEST, _MULTI, _ACK, _DUMP = 0x1, 0x2, 0x4, 0x300
_ERROR, _DONE = 0x2, 0x3
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_SUBSYSTEM_NFTABLES = 10
_NETLINK_ROUTE, _NETLINK_NETFILTER = 0, 12
_NESTED = 0x8000
_TYPE_MASK = 0x3FFF
_SECONDS = 10.0
_RECEIVE_BYTES = 1 << 18
_LARGEST_BATCH = 200_000
_ENDS = 64
"""Where a transaction begins and ends."""


class NetlinkError(TransportError):
    """The kernel refused a message; nothing of its transaction holds.

    Attributes:
        number: errno.
    """

    reason = "kernel"

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"the kernel refused {what}: {os.strerror(number)}")
        self.number = number


@dataclass(frozen=True, slots=True)
class Message:
    """One request.

    Attributes:
        type: subsystem in the upper, message in the lower octet.
        flags: beside request.
        family: of the nfnetlink header.
        body: encoded attributes.
        resource: of the nfnetlink header: a subsystem or a group.
    """

    type: int
    flags: int
    family: int
    body: bytes
    resource: int = 0

    def encode(self, sequence: int, *, extra_flags: int = 0) -> bytes:
        """With header, for position `sequence`."""
        payload = _GENERIC.pack(self.family, 0, self.resource) + self.body
        flags = _REQUEST | self.flags | extra_flags
        return _HEADER.pack(_HEADER.size + len(payload), self.type, flags, sequence, 0) + payload


class NetfilterSocket:
    """One netlink socket, in the network namespace where it was made. Not for use by two threads at once."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
        self._socket.bind((0, 0))
        self._socket.settimeout(_SECONDS)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self._sequence = 0

    def commit(self, messages: Sequence[Message]) -> None:
        """Run `messages` as one nftables transaction: all of it holds, or nothing.

        Raises:
            NetlinkError: the kernel refused one of them.
            TransportError: no answer, or more than one transaction can carry.
        """
        if not messages:
            return
        first = self._sequence + 1
        begin = Message(_BATCH_BEGIN, 0, socket.AF_UNSPEC, b"", _SUBSYSTEM_NFTABLES)
        parts = [begin.encode(first)]
        last = first + len(messages)
        for sequence, message in enumerate(messages, first + 1):
            parts.append(message.encode(sequence, extra_flags=_ACK if sequence == last else 0))
        end = Message(_BATCH_END, 0, socket.AF_UNSPEC, b"", _SUBSYSTEM_NFTABLES)
        parts.append(end.encode(last + 1))
        self._sequence = last + 1
        data = b"".join(parts)
        if len(data) > _LARGEST_BATCH:
            raise TransportError(f"expected a transaction of at most {_LARGEST_BATCH} bytes, got {len(data)}")
        self._send(data)
        refused: NetlinkError | None = None
        for sequence, kind, payload in self._receive(first):
            if kind == _ERROR and (number := _error_number(payload)):
                refused = refused or NetlinkError(
                    number, f"part {sequence - first} of {len(messages)} of a transaction"
                )
            if sequence == last:
                break
        if refused is not None:
            raise refused

    def request(self, message: Message) -> None:
        """Send one message on its own and wait for its acknowledgement.

        Raises:
            NetlinkError: refused.
        """
        for _ in self._exchange(message, _ACK):
            pass

    def ask(self, message: Message, *, dump: bool = False) -> list[bytes]:
        """Send a query; return the payloads of the answers, behind their nfnetlink headers.

        Raises:
            NetlinkError: refused; `number` is ENOENT where there is nothing of the kind.
        """
        return [payload[_GENERIC.size :] for payload in self._exchange(message, _DUMP if dump else _ACK)]

    def detach(self) -> socket.socket:
        """The socket itself, for what the kernel sends unasked; nothing is asked here any more."""
        return self._socket

    def close(self) -> None:
        """Let go of the socket; what was committed stays."""
        self._socket.close()

    def _exchange(self, message: Message, flags: int) -> Iterator[bytes]:
        self._sequence += 1
        sequence = self._sequence
        self._send(message.encode(sequence, extra_flags=flags))
        for _, kind, payload in self._receive(sequence):
            if kind == _DONE:
                return
            if kind != _ERROR:
                yield payload
            elif number := _error_number(payload):
                raise NetlinkError(number, "a request")
            else:
                return

    def _send(self, data: bytes) -> None:
        try:
            self._socket.send(data)
        except OSError as error:
            raise NetlinkError(error.errno or errno.EIO, "to take a message") from error

    def _receive(self, oldest: int) -> Iterator[tuple[int, int, bytes]]:
        """Answers to messages from `oldest` on; what is older belongs to an exchange that was given up."""
        while True:
            try:
                data = self._socket.recv(_RECEIVE_BYTES)
            except TimeoutError:
                raise TransportError(f"the kernel gave no netlink answer within {_SECONDS:.0f} s") from None
            except OSError as error:
                raise NetlinkError(error.errno or errno.EIO, "to answer") from error
            offset = 0
            while offset + _HEADER.size <= len(data):
                length, kind, _flags, sequence, _port = _HEADER.unpack_from(data, offset)
                if sequence >= oldest:
                    yield sequence, kind, data[offset + _HEADER.size : offset + length]
                offset += (length + 3) & ~3


class RouteSocket:
    """Asks the tables of routes and neighbours, in the network namespace where it was made, one row at a time."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_ROUTE)
        self._socket.settimeout(_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def ask(self, kind: int, head: bytes, body: bytes) -> tuple[bytes, Attributes]:
        """One row: a structure of the same kind as `head`, and what comes with it.

        Raises:
            NetlinkError: the kernel has no such row.
            OSError: it did not answer.
        """
        self._socket.send(_HEADER.pack(_HEADER.size + len(head) + len(body), kind, _REQUEST, 1, 0) + head + body)
        data = self._socket.recv(_RECEIVE_BYTES)
        length, told, _, _, _ = _HEADER.unpack_from(data)
        payload = data[_HEADER.size : length]
        if told == _ERROR:
            raise NetlinkError(_error_number(payload), "to tell a row")
        return payload[: len(head)], dict(parse_attributes(payload[len(head) :]))


def in_batches(parts: Iterable[list[Message]]) -> Iterator[list[Message]]:
    """As few transactions as carry all of them, none of which is torn."""
    batch: list[Message] = []
    size = 0
    for part in parts:
        added = sum(_HEADER.size + _GENERIC.size + len(message.body) for message in part)
        if batch and size + added > _LARGEST_BATCH - _ENDS:
            yield batch
            batch, size = [], 0
        batch += part
        size += added
    if batch:
        yield batch


def attribute(kind: int, value: bytes) -> bytes:
    """One netlink attribute, padded to four bytes."""
    return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *parts: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attribute(kind | _NESTED, b"".join(parts))


def parse_attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes of an answer, in order."""
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4:
            return
        yield kind & _TYPE_MASK, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def _error_number(payload: bytes) -> int:
    (number,) = struct.unpack_from("=i", payload)
    return -int(number)
