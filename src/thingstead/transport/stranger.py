"""Sockets of nobody in particular: each word from a fresh port, to one address, for a bounded time."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress

__all__ = ["SocketStranger"]

_MAX_DATAGRAM = 2048
_MAX_ANSWERS = 16


class SocketStranger:
    """Fits `domain.ports.Stranger`."""

    async def say(
        self, datagram: bytes, address: tuple[str, int], *, within: float, until: Callable[[bytes], bool]
    ) -> tuple[bytes, ...]:
        """Send one datagram, and return what came back from there; nothing where it cannot be reached."""
        loop = asyncio.get_running_loop()
        heard: list[bytes] = []
        # Time is up, which is an OSError too, or the network says that nobody is there.
        with suppress(OSError), socket.socket(_family(address[0]), socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            async with asyncio.timeout(within):
                # Connected: the kernel drops what others send.
                await loop.sock_connect(sock, address)
                await loop.sock_sendall(sock, datagram)
                while len(heard) < _MAX_ANSWERS:
                    heard.append(await loop.sock_recv(sock, _MAX_DATAGRAM))
                    if until(heard[-1]):
                        break
        return tuple(heard)

    async def knock(self, host: str, port: int, *, within: float) -> bool:
        """Open a TCP connection and close it."""
        with suppress(OSError), socket.socket(_family(host), socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            async with asyncio.timeout(within):
                await asyncio.get_running_loop().sock_connect(sock, (host, port))
            return True
        return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
