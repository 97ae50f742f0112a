"""The host outside: what a maker's cloud is to a thing, and a place that no MUD file names."""

from __future__ import annotations

import asyncio
import socket
from functools import partial

from thingstead.clock import Clock
from thingstead.enforcement.namespace import Attachment, Site, inside

__all__ = ["ALLOWED_PORT", "FORBIDDEN_PORT", "Outside", "try_connection"]

ALLOWED_PORT = 8443
"""Where the makers' MUD files let their things go."""

FORBIDDEN_PORT = 6667
"""Where none does."""


class Outside:
    """Listens on both ports in the namespace outside, and remembers who came when.

    Attributes:
        accepted: (source address, port) -> monotonic seconds of the newest accepted connection.
    """

    def __init__(self, site: Site, *, clock: Clock) -> None:
        self._site = site
        self._clock = clock
        self._servers: list[asyncio.Server] = []
        self.accepted: dict[tuple[str, int], float] = {}

    async def start(self) -> None:
        """Open both ports."""
        host = str(self._site.internet)
        for port in (ALLOWED_PORT, FORBIDDEN_PORT):
            listener = inside(self._site.outside, partial(socket.create_server, (host, port)))
            self._servers.append(await asyncio.start_server(self._serve, sock=listener))

    def close(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()

    async def _serve(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source, port = writer.get_extra_info("peername")[0], writer.get_extra_info("sockname")[1]
        self.accepted[source, port] = self._clock.now()
        writer.close()


async def try_connection(place: Attachment, address: tuple[str, int], *, seconds: float = 1.0) -> bool:
    """Open a TCP connection from a thing's own place in the network; whether it was accepted."""
    sock = inside(place.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    sock.setblocking(False)
    try:
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(sock, address)
    except OSError:
        return False
    else:
        return True
    finally:
        sock.close()
