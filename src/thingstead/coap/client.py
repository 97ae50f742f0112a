"""A CoAP client for asyncio programs: requests by URI, in clear or under OSCORE, block-wise where they are long."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict, Unpack, cast

from thingstead.clock import Clock, SystemClock
from thingstead.coap.shell import DatagramShell, Exchange, Parts, StreamShell, Watcher
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.drawing import code_text
from thingstead.endpoint.event import Address, AssociationId, GroupId, ResponseReceived
from thingstead.errors import (
    DecodeError,
    NoResponseError,
    PeerFaultError,
    RequestRefusedError,
    UnreachableError,
    UnsupportedError,
)
from thingstead.protocols.coap import uri as coap_uri
from thingstead.protocols.coap.code import code_name, is_error
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import decode_uint, encode_uint
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.uri import CoapUri
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.link import Link
from thingstead.storage.oscore_context import ContextFile
from thingstead.transport.udp import open_socket

__all__ = ["Client", "Options", "Response"]

_SERVER = AssociationId("server")
_TIMEOUT = 30.0
_WELL_KNOWN_CORE = (".well-known", "core")
_SPOKEN = {"coap": socket.SOCK_DGRAM, "coap+tcp": socket.SOCK_STREAM}
_ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104  a client's socket, on a port of the kernel's
_CLIENT_ERROR = 4
_LONGEST_DIAGNOSTIC = 200


class Options(TypedDict, total=False):
    """What may be said with a request.

    Attributes:
        content_format: of the payload.
        accept: content format that is wanted.
        options: further (number, value) options.
        confirmable: False sends it once, and does not repeat it until it is acknowledged.
        timeout: seconds for the response, 30 if not given; of an observation for its first.
    """

    content_format: int
    accept: int
    options: Iterable[tuple[int, bytes]]
    confirmable: bool
    timeout: float


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, body complete.

    Attributes:
        code: see `Code`.
        payload: whole, however many blocks it came in.
        content_format: of the payload; None where the peer does not say.
        options: (number, value), in order.
        source: where it came from.
        is_protected: it was verified under the OSCORE context.
    """

    code: int
    payload: bytes
    content_format: int | None
    options: tuple[tuple[int, bytes], ...]
    source: Address
    is_protected: bool

    def require_success(self) -> Self:
        """This response, if it is none of an error.

        Raises:
            RequestRefusedError: 4.xx.
            PeerFaultError: 5.xx.
        """
        if not is_error(self.code):
            return self
        error = RequestRefusedError if self.code >> 5 == _CLIENT_ERROR else PeerFaultError
        raise error(f"the peer answered {code_text(self.code)}{self._diagnostic()}", reason=code_name(self.code))

    def _diagnostic(self) -> str:
        """What an error without a format says in words (RFC 7252 §5.5.2)."""
        if self.content_format is not None or not self.payload:
            return ""
        return f": {self.payload[:_LONGEST_DIAGNOSTIC].decode('utf-8', 'replace')}"


class Client:
    """``async with Client() as client: await client.get("coap://[::1]/light")``; all its requests share one context.

    Args:
        oscore: file of an OSCORE context; with it every request is protected and no other response believed. The
            client is its one user until it is closed.
        config: bounds and times.
        clock: for timers.
        watch: told of every datagram.
    """

    def __init__(
        self,
        oscore: Path | None = None,
        *,
        config: EndpointConfig | None = None,
        clock: Clock | None = None,
        watch: Watcher | None = None,
    ) -> None:
        self._oscore = oscore
        self._config = config or EndpointConfig()
        self._clock = clock or SystemClock()
        self._watch = watch
        self._file: ContextFile | None = None
        self._association: Association | None = None
        self._shells: dict[int, DatagramShell] = {}
        self._streams: StreamShell | None = None

    async def __aenter__(self) -> Self:
        """Open the context.

        Raises:
            ConfigError, DecodeError, StateError: the context cannot be used.
        """
        if self._oscore is not None:
            self._file = ContextFile.open(self._oscore)
            try:
                context = self._file.context()
            except BaseException:
                self._file.close()
                raise
            self._association = Association(_SERVER, context, with_kid_context=context.id_context is not None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the sockets, and give back the sequence numbers that were not used."""
        for shell in [*self._shells.values(), *([] if self._streams is None else [self._streams])]:
            shell.close()
        self._shells.clear()
        self._streams = None
        if self._file is not None:
            self._file.close()

    async def get(self, uri: str, **options: Unpack[Options]) -> Response:
        """Read a resource; raises as `request`."""
        return await self.request(Code.GET, uri, **options)

    async def fetch(self, uri: str, payload: bytes, **options: Unpack[Options]) -> Response:
        """Read a part of a resource, as the payload says (RFC 8132 §2); raises as `request`."""
        return await self.request(Code.FETCH, uri, payload, **options)

    async def post(self, uri: str, payload: bytes = b"", **options: Unpack[Options]) -> Response:
        """Have a payload processed; raises as `request`."""
        return await self.request(Code.POST, uri, payload, **options)

    async def put(self, uri: str, payload: bytes, **options: Unpack[Options]) -> Response:
        """Write a resource; raises as `request`."""
        return await self.request(Code.PUT, uri, payload, **options)

    async def delete(self, uri: str, **options: Unpack[Options]) -> Response:
        """Delete a resource; raises as `request`."""
        return await self.request(Code.DELETE, uri, **options)

    async def discover(self, uri: str, **options: Unpack[Options]) -> list[Link]:
        """What a host serves: its ``/.well-known/core``, filtered by the URI's query (RFC 6690 §4).

        Raises:
            DecodeError: not a list of links.
            RequestRefusedError, PeerFaultError: the host does not tell.
            ThingsteadError: as for `request`.
        """
        taken = coap_uri.parse(uri)
        asked = replace(taken, path=taken.path or _WELL_KNOWN_CORE)
        async with self._responses(Code.GET, asked, b"", options, observe=False) as (first, _):
            return link.parse(first.require_success().payload)

    async def request(self, method: Code, uri: str, payload: bytes = b"", **options: Unpack[Options]) -> Response:
        """Send any request and wait for its response, which may be an error.

        Raises:
            DecodeError, UnsupportedError: the URI, or the response, is none that we take.
            UnreachableError: no such name, or the network says that nobody is there.
            NoResponseError: not in time.
            SecurityError: the peer does not know our OSCORE context, or what came does not verify.
            StorageError: the context's file cannot be written.
        """
        async with self._responses(method, coap_uri.parse(uri), payload, options, observe=False) as (first, _):
            return first

    @asynccontextmanager
    async def observe(
        self, uri: str, payload: bytes = b"", *, method: Code = Code.GET, **options: Unpack[Options]
    ) -> AsyncIterator[AsyncIterator[Response]]:
        """The responses to a request that registers (RFC 7641), until the block ends; then the peer is told.

        The iterator ends by itself when the peer ends the observation, or does not accept it: after the first. A peer
        that forgot it is asked again when nothing has come for longer than Max-Age (RFC 7641 §3.3.1).

        Raises:
            ThingsteadError: as for `request`; NoResponseError also when nobody has been there for an hour and more.
        """
        async with self._responses(method, coap_uri.parse(uri), payload, options, observe=True) as (_, responses):
            yield responses

    # --- within

    @asynccontextmanager
    async def _responses(
        self, method: Code, uri: CoapUri, payload: bytes, options: Options, *, observe: bool
    ) -> AsyncIterator[tuple[Response, AsyncIterator[Response]]]:
        """The first response, and all of them."""
        if uri.scheme not in _SPOKEN:
            hint = "; what DTLS and TLS would protect, OSCORE does" if uri.scheme.startswith("coaps") else ""
            raise UnsupportedError(f"expected {' or '.join(_SPOKEN)}, got {uri.scheme}://{hint}", spec="RFC 7252 §6.1")
        request = Message(method, options=_options(options), payload=payload)
        patience = options.get("timeout", _TIMEOUT)
        try:
            async with asyncio.timeout(patience):
                shell, exchange, first = await self._first(
                    uri, request, confirmable=options.get("confirmable", True), observe=observe
                )
        except TimeoutError:
            raise NoResponseError(f"{uri.host} did not answer within {patience:g} s") from None
        try:
            yield _response(first), _following(exchange, first)
        finally:
            shell.drop(exchange)

    async def _first(
        self, uri: CoapUri, request: Message, *, confirmable: bool, observe: bool
    ) -> tuple[DatagramShell | StreamShell, Exchange, ResponseReceived]:
        """The first response, from the first address of the host at which somebody is."""
        refused = UnreachableError(f"{uri.host} has no address")
        association = None if self._association is None else self._association.id
        for destination in await _resolved(uri):
            try:
                shell, reached = await self._way(uri.scheme, destination)
            except UnreachableError as error:
                refused = error
                continue
            try:
                whole = request.with_options(*uri.options(destination[:2]))
                exchange = shell.ask(whole, reached, association=association, confirmable=confirmable, observe=observe)
            except ValueError as error:
                raise DecodeError(f"the request cannot be sent: {error}", spec="RFC 7252 §5.10") from error
            try:
                return shell, exchange, await exchange.outcome()
            except UnreachableError as error:
                shell.drop(exchange)
                refused = error
            except BaseException:
                shell.drop(exchange)
                raise
        raise refused

    async def _way(self, scheme: str, destination: Address) -> tuple[DatagramShell | StreamShell, Address]:
        """What asks a destination, and what it calls it."""
        if _SPOKEN[scheme] == socket.SOCK_STREAM:
            if self._streams is None:
                self._streams = StreamShell(self._config, **self._parts())
                self._install(self._streams)
            return self._streams, await self._streams.reach(destination)
        version = 6 if ":" in destination[0] else 4
        if version not in self._shells:
            self._shells[version] = DatagramShell(open_socket(_ANY[version], 0), self._config, **self._parts())
            self._install(self._shells[version])
        return self._shells[version], destination

    def _parts(self) -> Parts:
        return {"clock": self._clock, "reserve": self._reserve, "watch": self._watch}

    def _install(self, shell: DatagramShell | StreamShell) -> None:
        if self._association is not None:
            shell.install(self._association)

    def _reserve(self, _association: AssociationId | GroupId, upto: int) -> None:
        if self._file is not None:
            self._file.reserve(upto)


async def _following(exchange: Exchange, first: ResponseReceived) -> AsyncIterator[Response]:
    event = first
    while True:
        yield _response(event)
        if event.is_last:
            return
        event = await exchange.outcome()


def _response(event: ResponseReceived) -> Response:
    message = event.message
    content_format = message.option(OptionNumber.CONTENT_FORMAT)
    return Response(
        message.code,
        message.payload,
        None if content_format is None else decode_uint(content_format),
        tuple(message.options),
        event.source,
        event.association is not None,
    )


def _options(given: Options) -> list[tuple[int, bytes]]:
    formats = (
        (int(OptionNumber.CONTENT_FORMAT), given.get("content_format")),
        (int(OptionNumber.ACCEPT), given.get("accept")),
    )
    stated = [(number, encode_uint(value)) for number, value in formats if value is not None]
    return sorted([*given.get("options", ()), *stated], key=_number)


def _number(option: tuple[int, bytes]) -> int:
    return option[0]


async def _resolved(uri: CoapUri) -> list[Address]:
    """The host's addresses; what is one already is asked of nobody.

    Raises:
        UnreachableError: there are none.
        UnsupportedError: a group's address.
    """
    try:
        if ipaddress.ip_address(uri.host).is_multicast:
            raise UnsupportedError("a group is not asked by URI: expected a unicast address", spec="RFC 7252 §8")
        if "%" not in uri.host:
            return [(uri.host, uri.port)]
    except ValueError:
        pass  # a name
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(uri.host, uri.port, type=_SPOKEN[uri.scheme])
    except (OSError, UnicodeError) as error:
        raise UnreachableError(f"no address is known for {uri.host}: {error}") from error
    # Of IPv6 the scope only where there is one, as the pump names its peers.
    return [cast("Address", address if address[-1] and len(address) == 4 else address[:2]) for *_, address in answers]
