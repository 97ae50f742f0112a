"""Asks resolvers out there: a socket and a port of its own for each query, and TCP where the answer is long."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Sequence
from contextlib import closing

from thingstead.errors import TransportError

__all__ = ["Upstream"]

_SECONDS = 2.0
_MAX_DATAGRAM = 4096


class Upstream:
    """The resolvers that ours asks, in their order.

    Args:
        servers: IP addresses and ports.
        seconds: for which one of them is waited for.
    """

    def __init__(self, servers: Sequence[tuple[str, int]], *, seconds: float = _SECONDS) -> None:
        self._servers = tuple(servers)
        self._seconds = seconds

    async def ask(self, query: bytes) -> bytes:
        """The answer of the first that gives one, unread.

        Raises:
            TransportError: none does.
        """
        said = "no resolver is named"
        for host, port in self._servers:
            try:
                async with asyncio.timeout(self._seconds):
                    response = await self._over_udp(query, host, port)
                    return await self._over_tcp(query, host, port) if _is_truncated(response) else response
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                said = f"{host} port {port}: {error or type(error).__name__}"
        raise TransportError(f"no resolver answers; {said}")

    async def _over_udp(self, query: bytes, host: str, port: int) -> bytes:
        """A connected socket takes nothing from others, and its port is the kernel's choice (RFC 5452 §9.2)."""
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, (host, port))
            await loop.sock_sendall(sock, query)
            while True:
                response = await loop.sock_recv(sock, _MAX_DATAGRAM)
                # Whoever guesses the port has to guess the id too; the right answer may still come behind theirs.
                if response[:2] == query[:2]:
                    return response

    async def _over_tcp(self, query: bytes, host: str, port: int) -> bytes:
        reader, writer = await asyncio.open_connection(host, port)
        with closing(writer):
            writer.write(struct.pack("!H", len(query)) + query)
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            return await reader.readexactly(size)


def _is_truncated(response: bytes) -> bool:
    return len(response) > 2 and bool(response[2] & 0x02)
