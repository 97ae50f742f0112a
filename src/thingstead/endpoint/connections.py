"""The connections of one endpoint: bounded, each with its deadline, and never looked through for one message."""

from __future__ import annotations

import heapq

from thingstead.endpoint.config import StreamConfig
from thingstead.endpoint.event import Address
from thingstead.errors import StateError, TransportError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.tcp_connection import Connection

__all__ = ["Connections"]


class Connections:
    """A table of connections by the address of their other end."""

    __slots__ = (
        "_by_address",
        "_config",
        "_deadlines",
        "_over",
        "_paused",
        "_per_host",
        "_proven",
        "_unsettled",
        "_waking",
        "_writing",
    )

    def __init__(self, config: StreamConfig) -> None:
        self._config = config
        self._by_address: dict[Address, Connection] = {}
        self._per_host: dict[str, int] = {}
        self._proven: set[Address] = set()
        self._paused: set[Address] = set()
        self._writing: set[Address] = set()
        self._over: set[Address] = set()
        self._unsettled: set[Address] = set()
        self._deadlines: list[tuple[float, Address]] = []
        self._waking: dict[Address, float] = {}

    def __len__(self) -> int:
        return len(self._by_address)

    def find(self, address: Address) -> Connection | None:
        """The connection with `address`."""
        return self._by_address.get(address)

    def add(self, address: Address, now: float) -> None:
        """Enter a new connection; where there is no room, the stranger's that is silent longest is ended.

        Raises:
            StateError: there is one with this address, or as many with its host as may be, or none is a stranger's.
        """
        config = self._config
        if address in self._by_address or self._per_host.get(address[0], 0) >= config.max_connections_per_host:
            raise StateError("expected fewer connections of this host", reason="connections")
        if len(self._by_address) - len(self._over) >= config.max_connections:
            self._make_room()
        self._by_address[address] = Connection(config.connection, now)
        self._per_host[address[0]] = self._per_host.get(address[0], 0) + 1
        self._touch(address)

    def drop(self, address: Address) -> Connection | None:
        """Take a connection out; None when it is not there."""
        connection = self._by_address.pop(address, None)
        if connection is None:
            return None
        left = self._per_host[address[0]] - 1
        if left:
            self._per_host[address[0]] = left
        else:
            del self._per_host[address[0]]
        self._waking.pop(address, None)
        for names in (self._proven, self._paused, self._writing, self._over, self._unsettled):
            names.discard(address)
        return connection

    def prove(self, address: Address) -> None:
        """Who is at the other end is known, by a key or because we went there: it gives way to no stranger."""
        if address in self._by_address:
            self._proven.add(address)

    def receive(self, data: bytes, address: Address, now: float) -> list[Message]:
        """The messages for the endpoint in what a connection brought."""
        connection = self._by_address.get(address)
        if connection is None:
            return []
        messages = connection.receive(data, now)
        if connection.is_to_settle:
            self._unsettled.add(address)
        self._touch(address)
        return messages

    @property
    def is_settled(self) -> bool:
        """Whether nobody waits for all that it sent to be processed: with a Ping for custody, or a Release."""
        return not self._unsettled

    def settle(self, asking: set[Address], awaited: set[Address]) -> None:
        """Answer or leave those who wait for that (RFC 8323 §5.4.1, §5.5).

        Args:
            asking: who has asked what is not answered yet.
            awaited: who has not answered yet what we asked.
        """
        for address in self._unsettled - asking:
            connection = self._by_address[address]
            connection.settle(may_leave=address not in awaited)
            self._touch(address)
            if not connection.is_to_settle:
                self._unsettled.remove(address)

    def send(self, frame: bytes, address: Address) -> None:
        """Have a message sent.

        Raises:
            StateError: there is no such connection, or it does not take the message.
        """
        connection = self._by_address.get(address)
        if connection is None:
            raise StateError("expected a connection that is open", reason="closed")
        connection.send(frame)
        self._touch(address)

    def release(self, address: Address) -> None:
        """Ask the other end for no more requests."""
        connection = self._by_address.get(address)
        if connection is not None:
            connection.release()
            self._touch(address)

    def pause(self, address: Address, *, is_full: bool) -> None:
        """Take no bytes for `address` while its way is full."""
        if is_full and address in self._by_address:
            self._paused.add(address)
        else:
            self._paused.discard(address)

    def expire(self, now: float) -> None:
        """Ping who is silent, and end what is over its time."""
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline, address = heapq.heappop(self._deadlines)
            if self._waking.get(address) == deadline:
                del self._waking[address]
                self._by_address[address].expire(now)
                self._touch(address)

    def next_deadline(self) -> float | None:
        """When `expire` has something to do; it may find that it has not."""
        while self._deadlines and self._waking.get(self._deadlines[0][1]) != self._deadlines[0][0]:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def take_bytes(self) -> list[tuple[bytes, Address]]:
        """What is to be written now, for connections that are not paused."""
        ready = self._writing - self._paused
        self._writing -= ready
        taken = [(self._by_address[address].take_bytes(), address) for address in ready]
        return [(data, address) for data, address in taken if data]

    def over(self) -> list[Address]:
        """Connections that are to be closed once their bytes are written."""
        return list(self._over)

    def _touch(self, address: Address) -> None:
        """Note what a connection wants, after anything has happened to it."""
        connection = self._by_address[address]
        self._writing.add(address)
        if connection.is_over:
            self._over.add(address)
        deadline = connection.next_deadline()
        # One that has moved on is found to be early when it comes, and only then set anew.
        if deadline is not None and deadline < self._waking.get(address, float("inf")):
            self._waking[address] = deadline
            heapq.heappush(self._deadlines, (deadline, address))

    def _make_room(self) -> None:
        strangers = [item for item in self._by_address.items() if item[0] not in self._proven and not item[1].is_over]
        if not strangers:
            raise StateError("expected fewer connections", reason="connections")
        address, connection = min(strangers, key=lambda item: item[1].heard_at)
        connection.end(TransportError("another connection needed the room", reason="connections"))
        self._touch(address)
