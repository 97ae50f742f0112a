"""The page served: on a socket that is bound to loopback already, beside whatever else its process does."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import uvicorn

from thingstead.clock import Clock
from thingstead.errors import ConfigError
from thingstead.web.app import make_app
from thingstead.web.feed import Ask, Feed

__all__ = ["inherited_listener", "open_listener", "page"]

_BACKLOG = 32
_MAX_CONNECTIONS = 64
_GRACE = 1


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process that we are only a part of."""
        yield


def open_listener(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """Bind and listen; a demo does so before it enters its namespaces, and hands the socket over.

    Raises:
        ConfigError: not a loopback address, or not free.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        raise ConfigError(f"expected an IP address for the page, got {host[:60]!r}") from error
    if not address.is_loopback:
        raise ConfigError(f"the page is for this machine only: expected a loopback address, got {address}")
    listener = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(f"cannot serve the page on {host} port {port}: {error.strerror}") from error
    listener.listen(_BACKLOG)
    return listener


def inherited_listener(descriptor: int) -> socket.socket:
    """A listener that the parent process bound, and whose descriptor it passed on.

    Raises:
        ConfigError: no such descriptor, or not a socket that listens on loopback.
    """
    try:
        listener = socket.socket(fileno=descriptor)
    except OSError as error:
        raise ConfigError(f"expected descriptor {descriptor} to be a listening socket: {error.strerror}") from error
    name = listener.getsockname()
    if (
        listener.family not in {socket.AF_INET, socket.AF_INET6}
        or not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        or not ipaddress.ip_address(name[0]).is_loopback
    ):
        listener.close()
        raise ConfigError(f"expected descriptor {descriptor} to listen on loopback, it is {name}")
    return listener


@contextlib.asynccontextmanager
async def page(ask: Ask, listener: socket.socket, *, clock: Clock, notes: Path | None = None) -> AsyncIterator[str]:
    """Serve the page while the block runs; yields its URL. The listener is closed at the end.

    Args:
        ask: the way to the controller; only queries are sent.
        listener: bound, listening, of `open_listener` or `inherited_listener`.
        clock: monotonic time.
        notes: as for `Feed`.
    """
    feed = Feed(ask, clock, notes=notes)
    config = uvicorn.Config(
        make_app(feed),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        try:
            yield _url(listener)
        finally:
            feed.close()
            server.should_exit = True


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
