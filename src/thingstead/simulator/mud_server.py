"""A maker's web server: a few files over HTTPS, from memory."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

__all__ = ["StaticHttpsServer"]

_LONGEST_REQUEST = 8192
_SECONDS = 5.0
_MEDIA_TYPES = {".p7s": "application/pkcs7-signature"}


class StaticHttpsServer:
    """Serves `files` (path from ``/`` on -> content) while it is entered; the mapping may change meanwhile.

    Args:
        files: what there is.
        certificate: PEM file of the server's certificate.
        key: PEM file of its key.
        host: address to listen on.
        port: 0 for any free one.
    """

    def __init__(
        self, files: Mapping[str, bytes], *, certificate: Path, key: Path, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._files = files
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate, key)
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._closed: asyncio.Future[None] | None = None

    @property
    def url(self) -> str:
        """Where the files are, without a slash at the end."""
        if self._server is None:
            raise ValueError("the server has not been started")
        return f"https://{self._host}:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> StaticHttpsServer:
        self._server = await asyncio.start_server(
            self._answer,
            self._host,
            self._port,
            ssl=self._tls,
            ssl_handshake_timeout=_SECONDS,
            ssl_shutdown_timeout=_SECONDS,
            limit=_LONGEST_REQUEST,
        )
        # Python 3.11 waits for connections, half a handshake among them, only where it was asked to before the end.
        self._closed = asyncio.get_running_loop().create_task(self._server.wait_closed())
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None and self._closed is not None:
            self._server.close()
            await self._closed
            self._server = self._closed = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._response(head))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    def _response(self, head: bytes) -> bytes:
        method, _, rest = head.decode("latin-1").partition(" ")
        path = rest.partition(" ")[0]
        content = self._files.get(path) if method == "GET" else None
        status = "200 OK" if content is not None else "404 Not Found"
        media_type = _MEDIA_TYPES.get(Path(path).suffix, "application/mud+json")
        body = content or b""
        header = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
        return f"{header}Connection: close\r\n\r\n".encode() + body
