"""TCP connections, both accepted and opened, moved between sockets and one sans-I/O core (RFC 8323)."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from thingstead.clock import Clock
from thingstead.errors import AddressError, StateError, TransportError
from thingstead.transport.udp import Address

__all__ = ["StreamCore", "StreamPump"]

_LOGGER = logging.getLogger(__name__)
_WRITE_BUFFER = 64 << 10
_BACKLOG = 64
_MAX_READ = 4 << 10
"""Bytes of one connection that are served before the others' turn; of the shortest messages that is 2,048."""


class StreamCore(Protocol):
    """What a pump drives; `StreamEndpoint`, wrapped by the program that gives its events a meaning."""

    def connect(self, address: Address, now: float, *, is_ours: bool = False) -> None:
        """A connection is there; a `StateError` refuses it."""
        ...

    def disconnect(self, address: Address, now: float) -> None:
        """A connection is gone; nothing when it was not there."""
        ...

    def receive_bytes(self, data: bytes, address: Address, now: float) -> None:
        """Take bytes; never raises on what a peer sent."""
        ...

    def pause(self, address: Address, *, is_full: bool) -> None:
        """Whether the way to a peer is full."""
        ...

    def run(self, now: float) -> None:
        """Act on events and timers that are due."""
        ...

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Everything that may leave now."""
        ...

    def connections_to_close(self) -> list[Address]:
        """Connections that are over."""
        ...

    def next_deadline(self) -> float | None:
        """When `run` is wanted again without a byte; monotonic seconds."""
        ...


class StreamPump:
    """Moves bytes on the event loop's own thread, without a task per connection.

    After `flush` nothing that the core wants sent is left behind. Once closed it moves nothing, whoever still asks.
    """

    def __init__(self, core: StreamCore, *, clock: Clock) -> None:
        self._core = core
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._servers: list[asyncio.Server] = []
        self._transports: dict[Address, asyncio.Transport] = {}
        self._is_closed = False

    async def listen(self, host: str, port: int) -> int:
        """Accept connections on one address; the port, which the kernel chooses for 0.

        Raises:
            AddressError: the address is not ours, or the port is taken.
        """
        try:
            server = await self._loop.create_server(lambda: _Connection(self), host, port, backlog=_BACKLOG)
        except (OSError, ValueError) as error:
            raise AddressError(f"expected a free TCP address, got {host} port {port}: {error}") from error
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def open(self, host: str, port: int) -> Address:
        """Open a connection; the address that names it towards the core. The caller sets the time it may take.

        Raises:
            TransportError: nobody is there, or the core refuses it.
        """
        try:
            _, connection = await self._loop.create_connection(lambda: _Connection(self, is_ours=True), host, port)
        except OSError as error:
            raise TransportError(f"expected a peer at {host} port {port}: {error}") from error
        if connection.address is None:
            raise TransportError(f"expected a peer at {host} port {port}, and room for a connection with it")
        return connection.address

    def flush(self) -> None:
        """Run the core, write what it wants written, close what is over, and set the timer anew."""
        if self._is_closed:
            return
        now = self._clock.now()
        self._core.run(now)
        for data, address in self._core.datagrams_to_send(now):
            transport = self._transports.get(address)
            if transport is not None:
                transport.write(data)
        for address in self._core.connections_to_close():
            self._core.disconnect(address, now)
            over = self._transports.pop(address, None)
            if over is not None:
                _part(over)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._core.next_deadline()
        if deadline is not None:
            self._timer = self._loop.call_later(max(0.0, deadline - now), self.flush)

    def close(self) -> None:
        """Accept no more, and close what is open without waiting."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for server in self._servers:
            server.close()
        for transport in self._transports.values():
            transport.abort()
        self._transports.clear()

    def made(self, transport: asyncio.Transport, *, is_ours: bool) -> Address | None:
        """A connection stands: its address, or None when it is refused."""
        peer = transport.get_extra_info("peername")
        address: Address | None = None if peer is None else (peer[0], peer[1])
        try:
            if address is None or self._is_closed:
                raise StateError("expected an open pump and a peer with an address")
            if peer == transport.get_extra_info("sockname"):
                # The kernel may choose, as our port, the one that we connect to; with nobody there, we meet ourselves.
                raise StateError("expected somebody else than ourselves")
            self._core.connect(address, self._clock.now(), is_ours=is_ours)
        except StateError as error:
            _LOGGER.debug("connection with %s refused: %s", address, error)
            transport.abort()
            return None
        transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        self._transports[address] = transport
        self.flush()
        return address

    def lost(self, address: Address, transport: asyncio.Transport) -> None:
        """A connection is gone, unless another one has its address by now."""
        if self._transports.get(address) is transport:
            del self._transports[address]
            self._core.disconnect(address, self._clock.now())
            self.flush()

    def received(self, data: bytes, address: Address) -> None:
        """A connection brought bytes."""
        self._core.receive_bytes(data, address, self._clock.now())
        self.flush()

    def paused(self, address: Address, *, is_full: bool) -> None:
        """The kernel takes no more for a connection, or takes it again."""
        self._core.pause(address, is_full=is_full)
        if not is_full:
            self.flush()


class _Connection(asyncio.BufferedProtocol):
    """What the event loop calls; it knows its address and nothing else."""

    def __init__(self, pump: StreamPump, *, is_ours: bool = False) -> None:
        self.address: Address | None = None
        self._pump = pump
        self._is_ours = is_ours
        self._transport: asyncio.Transport | None = None
        self._buffer = memoryview(bytearray(_MAX_READ))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self.address = self._pump.made(transport, is_ours=self._is_ours)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (asked for without a wish)
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self.address is not None:
            self._pump.received(bytes(self._buffer[:nbytes]), self.address)

    def pause_writing(self) -> None:
        if self.address is not None:
            self._pump.paused(self.address, is_full=True)

    def resume_writing(self) -> None:
        if self.address is not None:
            self._pump.paused(self.address, is_full=False)

    def connection_lost(self, _error: Exception | None) -> None:
        if self.address is not None and self._transport is not None:
            self._pump.lost(self.address, self._transport)


def _part(transport: asyncio.Transport) -> None:
    """Close behind the last bytes; at once where the peer does not read them, or it could stay for as long as it likes.

    What is still here did not fit into the kernel's buffer.
    """
    if transport.get_write_buffer_size():
        transport.abort()
    else:
        transport.close()
