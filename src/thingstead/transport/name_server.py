"""The sockets of our own resolver: UDP and TCP (RFC 7766), bounded for whoever asks."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections import Counter
from contextlib import closing
from dataclasses import dataclass

from thingstead.errors import AddressError
from thingstead.transport.name_relay import NameRelay
from thingstead.transport.udp import open_socket

__all__ = ["NameServer", "NameServerLimits"]

_LOGGER = logging.getLogger(__name__)
_MAX_QUERY = 4096
_MAX_READ = 64


@dataclass(frozen=True, slots=True)
class NameServerLimits:
    """Bounds on who asks.

    Attributes:
        max_under_way: questions that are waited for at one time; more are dropped.
        max_of_one: of these, of one address.
        max_a_second: questions of one address; each may cost a change in the kernel, which everybody waits for.
        max_connections: TCP connections at one time.
        max_connections_of_one: of these, of one address.
        idle_seconds: after which a connection on which nothing is asked, or no answer is taken, is closed.
    """

    max_under_way: int = 512
    max_of_one: int = 32
    max_a_second: int = 100
    max_connections: int = 32
    max_connections_of_one: int = 4
    idle_seconds: float = 5.0


class NameServer:
    """Serves a relay on one address and port; `start` opens, `close` ends it.

    Args:
        relay: says what to answer.
        host: IP address.
        port: of UDP and TCP.
        tasks: where answers are waited for.
        forwarders: addresses of resolvers that ask for others: what one asker may do does not bind them.
        limits: bounds.

    Attributes:
        dropped: questions that found no room.
    """

    def __init__(
        self,
        relay: NameRelay,
        *,
        host: str,
        port: int,
        tasks: asyncio.TaskGroup,
        forwarders: frozenset[str] = frozenset(),
        limits: NameServerLimits | None = None,
    ) -> None:
        self._relay = relay
        self._host = host
        self._port = port
        self._tasks = tasks
        self._forwarders = forwarders
        self._limits = limits or NameServerLimits()
        self._under_way: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._second = 0
        self._running: set[asyncio.Task[None]] = set()
        self._connections: Counter[str] = Counter()
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self.dropped = 0

    async def start(self) -> int:
        """Open both sockets; returns the port, which the kernel chooses for 0.

        Raises:
            AddressError: the address is not ours, or the port is taken or takes a right that we do not have.
        """
        self._socket = open_socket(self._host, self._port)
        port: int = self._socket.getsockname()[1]
        try:
            self._server = await asyncio.start_server(self._on_connection, self._host, port, limit=_MAX_QUERY)
        except OSError as error:
            self._socket.close()
            raise AddressError(f"expected a free TCP address, got {self._host} port {port}: {error}") from error
        asyncio.get_running_loop().add_reader(self._socket, self._drain, self._socket)
        return port

    async def close(self) -> None:
        """Close the sockets; who waits for an answer asks again elsewhere."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
        if self._server is not None:
            self._server.close()
        for task in tuple(self._running):
            task.cancel()

    def _drain(self, sock: socket.socket) -> None:
        for _ in range(_MAX_READ):
            try:
                data, source = sock.recvfrom(_MAX_QUERY)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                _LOGGER.debug("names: socket error while reading: %s", error)
                return
            if not self._admits(source[0]):
                self.dropped += 1
                continue
            task = self._tasks.create_task(self._answer(sock, data, source))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _admits(self, host: str) -> bool:
        limits = self._limits
        if not self._is_in_measure(host):
            return False
        if self._under_way.total() >= limits.max_under_way or self._has_its(self._under_way, host, limits.max_of_one):
            return False
        self._under_way[host] += 1
        return True

    def _is_in_measure(self, host: str) -> bool:
        second = int(asyncio.get_running_loop().time())
        if second != self._second:
            self._second = second
            self._asked.clear()
        if self._has_its(self._asked, host, self._limits.max_a_second):
            return False
        self._asked[host] += 1
        return True

    def _has_its(self, share: Counter[str], host: str, limit: int) -> bool:
        return host not in self._forwarders and share[host] >= limit

    def _settle(self, host: str) -> None:
        self._under_way[host] -= 1
        if not self._under_way[host]:
            del self._under_way[host]

    async def _answer(self, sock: socket.socket, data: bytes, source: tuple[str, int]) -> None:
        try:
            said = await self._ask(data, source[0], max_bytes=0)
            if said is not None:
                sock.sendto(said, source)
        except OSError as error:
            _LOGGER.debug("names: answer to %s not sent: %s", source, error)
        finally:
            self._settle(source[0])

    async def _ask(self, data: bytes, host: str, *, max_bytes: int) -> bytes | None:
        try:
            return await self._relay.answer(data, host.partition("%")[0], max_bytes=max_bytes)
        except Exception:
            # A fault of ours that one question brought out must not take names, and the domain, from everybody.
            _LOGGER.exception("names: a question of %s failed", host)
            return None

    async def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, limits = writer.get_extra_info("peername")[0], self._limits
        with closing(writer):
            is_over = self._has_its(self._connections, host, limits.max_connections_of_one)
            if is_over or self._connections.total() >= limits.max_connections:
                self.dropped += 1
                return
            self._connections[host] += 1
            try:
                while await self._serve(reader, writer, host):
                    pass
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                _LOGGER.debug("names: connection of %s ended: %r", host, error)
                # Closing alone would keep what it does not take, and the socket, for as long as it likes.
                writer.transport.abort()
            finally:
                self._connections -= Counter([host])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> bool:
        """One question and its answer; whether another may follow."""
        async with asyncio.timeout(self._limits.idle_seconds):
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            data = await reader.readexactly(size)
        if not self._is_in_measure(host):
            self.dropped += 1
            return False
        said = await self._ask(data, host, max_bytes=(1 << 16) - 1)
        if said is None:
            return False
        writer.write(struct.pack("!H", len(said)) + said)
        async with asyncio.timeout(self._limits.idle_seconds):
            await writer.drain()
        return True
