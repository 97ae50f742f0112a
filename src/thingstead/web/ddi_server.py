"""hawkBit's API served over TLS, beside whatever else its process does, and without ever being in its way.

uvicorn's HTTP is what speaks; connections are taken here, where they can be counted before they cost a handshake: so
many in all, so many from one address, and none that only waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from thingstead.errors import ConfigError
from thingstead.web.ddi_app import CERTIFICATE
from thingstead.web.guard import Asgi

__all__ = ["ConnectionLimits", "ddi_listener", "ddi_service"]

_LOGGER = logging.getLogger(__name__)
_BACKLOG = 64
_AFTER_ERROR = 0.1


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Bounds on connections.

    Attributes:
        most: at one time; the next ones wait in the kernel's queue.
        most_of_one: of one address; the next ones are closed.
        handshake_seconds: of a TLS handshake.
        header_seconds: from the first byte of a request, or the connection's begin, to the end of its header.
        write_seconds: within which a client that takes nothing has to take 48 kB more.
        idle_seconds: between two requests on one connection.
        max_header_bytes: of a request that is not whole yet.
    """

    most: int = 64
    most_of_one: int = 16
    handshake_seconds: float = 5.0
    header_seconds: float = 10.0
    write_seconds: float = 20.0
    idle_seconds: int = 5
    max_header_bytes: int = 8192


def ddi_listener(host: str, port: int) -> socket.socket:
    """Bind and listen.

    Raises:
        ConfigError: no IP address, or not free.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        raise ConfigError(f"[ddi] host: expected an IP address, got {host[:60]!r}") from error
    listener = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(f"[ddi] cannot listen on {host} port {port}: {error.strerror}") from error
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


@contextlib.asynccontextmanager
async def ddi_service(
    app: Asgi, listener: socket.socket, tls: ssl.SSLContext, *, limits: ConnectionLimits | None = None
) -> AsyncIterator[None]:
    """Serve `app` while the block runs; the listener is closed at the end.

    Args:
        app: the application.
        listener: of `ddi_listener`.
        tls: with the server's certificate; one that is loaded into it later counts from the next connection on.
        limits: on connections.
    """
    async with asyncio.TaskGroup() as tasks:
        service = _Service(app, listener, tls, limits or ConnectionLimits(), tasks)
        accepting = tasks.create_task(service.accept())
        try:
            yield
        finally:
            accepting.cancel()
            listener.close()
            service.end()


class _Service:
    def __init__(
        self,
        app: Asgi,
        listener: socket.socket,
        tls: ssl.SSLContext,
        limits: ConnectionLimits,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._listener = listener
        self._tls = tls
        self._tasks = tasks
        self._room = asyncio.Semaphore(limits.most)
        self._of_source: Counter[str] = Counter()
        self._live: set[_Connection] = set()
        self._beginning: set[asyncio.Task[None]] = set()
        self.limits = limits
        self.state = ServerState()
        self.config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            date_header=False,
            # Where a device is says its connection: who could name another address would get another thing's rules.
            proxy_headers=False,
            h11_max_incomplete_event_size=limits.max_header_bytes,
            timeout_keep_alive=limits.idle_seconds,
        )
        self.config.load()

    async def accept(self) -> None:
        """Take connections as long as there is room for them."""
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                connection, address = await loop.sock_accept(self._listener)
            except OSError as error:
                # Out of descriptors, most likely: others end sooner than this loop would help.
                self._room.release()
                _LOGGER.warning("cannot take a connection: %s", error)
                await asyncio.sleep(_AFTER_ERROR)
                continue
            except asyncio.CancelledError:
                self._room.release()
                raise
            source = str(address[0])
            if self._of_source[source] >= self.limits.most_of_one:
                connection.close()
                self._room.release()
                continue
            self._of_source[source] += 1
            beginning = self._tasks.create_task(self._begin(connection, source))
            self._beginning.add(beginning)
            beginning.add_done_callback(self._beginning.discard)

    async def _begin(self, connection: socket.socket, source: str) -> None:
        """One handshake; the connection lives on by itself."""
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                lambda: _Connection(self, source),
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=self.limits.handshake_seconds,
                ssl_shutdown_timeout=self.limits.handshake_seconds,
            )
        except (OSError, ssl.SSLError) as error:
            _LOGGER.debug("no TLS with %s: %s", source, error)
            self.left(None, source)
        except asyncio.CancelledError:
            self.left(None, source)
            raise

    def came(self, connection: _Connection) -> None:
        """A handshake is done."""
        self._live.add(connection)

    def left(self, connection: _Connection | None, source: str) -> None:
        """A connection is over, or never began."""
        if connection is not None:
            self._live.discard(connection)
        self._of_source[source] -= 1
        if self._of_source[source] <= 0:
            del self._of_source[source]
        self._room.release()

    def end(self) -> None:
        """Cut what is left, and what is being answered."""
        for connection in tuple(self._live):
            connection.cut()
        for task in (*self._beginning, *self.state.tasks):
            task.cancel()


class _Connection(H11Protocol):
    """uvicorn's connection, with an end to each way of waiting."""

    def __init__(self, service: _Service, source: str) -> None:
        super().__init__(config=service.config, server_state=service.state, app_state={})
        self._service = service
        self._source = source
        self._limits = service.limits
        self._header: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._is_counted = True

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._service.came(self)
        shown = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        self.app_state = {CERTIFICATE: shown or b""}
        self._header = self.loop.call_later(self._limits.header_seconds, self.cut)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_header()
        elif self._header is None:
            self._header = self.loop.call_later(self._limits.header_seconds, self.cut)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._writing is None:
            self._writing = self.loop.call_later(self._limits.write_seconds, self.cut)

    def resume_writing(self) -> None:
        self._stop_writing()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_header()
        self._stop_writing()
        super().connection_lost(exc)
        if self._is_counted:
            self._is_counted = False
            self._service.left(self, self._source)

    def cut(self) -> None:
        """End the connection at once, whatever is under way."""
        if self.transport is not None:
            self.transport.abort()

    def _stop_header(self) -> None:
        if self._header is not None:
            self._header.cancel()
            self._header = None

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
