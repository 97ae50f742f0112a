"""Fetch documents over HTTPS from URLs that somebody else chose; fits the `Fetcher` port.

A MUD URL is a stranger's wish (RFC 8520 §16): who may be asked, for how long and for how much is decided here,
and the address that was checked is the address that is connected to.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from thingstead.domain.ports import Fetched
from thingstead.errors import ConfigError, PolicyError, TransportError

__all__ = ["HttpsConfig", "HttpsFetcher"]

_CHUNK = 16_384
_LONGEST_URL = 2048
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class HttpsConfig:
    """What may be fetched.

    Attributes:
        ca_file: PEM file of the authorities to trust; None for those of the system.
        hosts: names that may be asked; None for any.
        seconds: for one document, redirects and name lookup included.
        max_redirects: that are followed, on the same host and port only.
        insecure_private_addresses: also connect to loopback, private and link-local addresses.
        addresses: hosts whose addresses the owner gave; the rest is looked up.
    """

    ca_file: Path | None = None
    hosts: frozenset[str] | None = None
    seconds: float = 10.0
    max_redirects: int = 3
    insecure_private_addresses: bool = False
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class HttpsFetcher:
    """Fetches one document at a time per call, each in a worker thread."""

    def __init__(self, config: HttpsConfig) -> None:
        """Read the authorities.

        Raises:
            ConfigError: the file of authorities cannot be read.
        """
        self._config = config
        try:
            self._tls = ssl.create_default_context(cafile=None if config.ca_file is None else str(config.ca_file))
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"expected certificates of authorities in {config.ca_file}: {error}") from error
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    async def fetch(self, url: str, *, max_bytes: int) -> Fetched:
        """The document at `url`.

        Raises:
            PolicyError: a scheme, host or address that the configuration does not allow.
            TransportError: not reached, not in time, not 200, or over `max_bytes`.
        """
        return await asyncio.to_thread(self._fetch, url, max_bytes)

    def _fetch(self, url: str, max_bytes: int) -> Fetched:
        deadline = time.monotonic() + self._config.seconds
        origin = self._check_url(url)
        for _ in range(self._config.max_redirects + 1):
            parts = self._check_url(url)
            if (parts.hostname, parts.port) != (origin.hostname, origin.port):
                raise PolicyError(f"expected a document on {origin.netloc}, got a redirect to {parts.netloc}")
            try:
                answer = self._exchange(parts, max_bytes, deadline)
            except (OSError, http.client.HTTPException, UnicodeError) as error:
                # UnicodeError: a name that cannot be looked up, such as one with a label of 64 letters.
                raise TransportError(f"{parts.netloc} did not answer: {_reason(error)}") from error
            if isinstance(answer, Fetched):
                return answer
            url = _joined(url, answer)
        raise TransportError(f"{origin.netloc} redirects more than {self._config.max_redirects} times")

    def _check_url(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise PolicyError(f"expected a URL: {error}", spec="RFC 3986 §3") from None
        if parts.scheme != "https" or not parts.hostname or parts.username is not None or len(url) > _LONGEST_URL:
            raise PolicyError("expected a URL of scheme https with a host and no user", spec="RFC 8520 §3.2")
        if not url.isascii() or not url.isprintable() or " " in url:
            raise PolicyError("expected a URL in printable ASCII", spec="RFC 3986 §2")
        if self._config.hosts is not None and parts.hostname not in self._config.hosts:
            raise PolicyError(f"expected a host that may be asked, got {parts.hostname}")
        return parts

    def _exchange(self, parts: SplitResult, max_bytes: int, deadline: float) -> Fetched | str:
        """One request; the document, or where to ask instead."""
        host, port = parts.hostname or "", parts.port or 443
        connection = http.client.HTTPSConnection(host, port, context=self._tls)
        connection.sock = sock = self._connect(host, port, deadline)
        # Each read has its own time, and a server could let many of them pass: the watch ends them together.
        watch = threading.Timer(_left(deadline), _cut, (sock,))
        watch.daemon = True
        watch.start()
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(
                "GET", target, headers={"Accept": "application/mud+json, application/pkcs7-signature, */*"}
            )
            with connection.getresponse() as response:
                if response.status in _REDIRECTS and (location := response.getheader("Location")):
                    return location
                if response.status != 200:
                    raise TransportError(f"{parts.netloc} answered {response.status} where 200 was expected")
                body = _read(sock, response, max_bytes, deadline)
                return Fetched(parts.geturl(), response.headers.get_content_type(), body)
        finally:
            watch.cancel()
            connection.close()
            sock.close()

    def _connect(self, host: str, port: int, deadline: float) -> ssl.SSLSocket:
        failure: OSError = TimeoutError("no time left")
        for address in self._addresses(host, port):
            if not self._config.insecure_private_addresses and not ip_address(address).is_global:
                raise PolicyError(f"expected a public address for {host}, got {address}", spec="RFC 8520 §16")
            try:
                plain = socket.create_connection((address, port), _left(deadline))
            except OSError as error:
                failure = error
                continue
            try:
                return self._tls.wrap_socket(plain, server_hostname=host)
            except OSError:
                plain.close()
                raise
        raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        given = self._config.addresses.get(host)
        if given is not None:
            return list(given)
        return [str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _read(sock: socket.socket, response: http.client.HTTPResponse, max_bytes: int, deadline: float) -> bytes:
    body = b""
    while True:
        sock.settimeout(_left(deadline))
        chunk = response.read1(min(_CHUNK, max_bytes + 1 - len(body)))
        if not chunk and response.length:
            raise TransportError(f"the document ended {response.length} bytes early")
        if not chunk:
            return body
        body += chunk
        if len(body) > max_bytes:
            raise TransportError(f"expected a document of at most {max_bytes} bytes")


def _cut(sock: ssl.SSLSocket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise TransportError(f"expected a redirect to a URL: {error}", spec="RFC 9110 §10.2.2") from None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no time left")
    return left


def _reason(error: Exception) -> str:
    return str(error)[:120] or type(error).__name__
