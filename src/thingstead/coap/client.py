"""A CoAP client for asyncio programs: requests by URI, in clear or under OSCORE, block-wise where they are long."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from thingstead.clock import Clock, SystemClock
from thingstead.coap.address import SPOKEN, is_group, resolve
from thingstead.coap.exchange import Options, Response, request_options, response_of
from thingstead.coap.shell import DatagramShell, Exchange, Parts, Watcher
from thingstead.coap.stream_shell import StreamShell
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.event import Address, AssociationId, GroupId, ResponseReceived
from thingstead.errors import (
    DecodeError,
    NoResponseError,
    StateError,
    UnreachableError,
    UnsupportedError,
)
from thingstead.protocols.coap import uri as coap_uri
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.uri import CoapUri
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.link import Link
from thingstead.storage.oscore_context import ContextFile
from thingstead.transport.udp import open_socket

__all__ = ["Client"]

_WELL_KNOWN_CORE = (".well-known", "core")
_SERVER = AssociationId("server")
_TIMEOUT = 30.0
_ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104  a client's socket, on a port of the kernel's
_UNWANTED = (int(OptionNumber.NO_RESPONSE), encode_uint(0b11010))
"""No response of any class (RFC 7967 §2.1)."""


class Client:
    """``async with Client() as client: await client.get("coap://[::1]/light")``; all its requests share one context.

    Args:
        oscore: file of an OSCORE context; with it every request is protected and no other response believed. The
            client is its one user until it is closed.
        config: bounds and times.
        clock: for timers.
        watch: told of every datagram.
        proxy: ``coap://`` or ``coap+tcp://HOST[:PORT]`` of a forward proxy that all requests go to (RFC 7252 §5.7.2).

    Raises:
        DecodeError, UnsupportedError: the proxy has no such URI.
    """

    def __init__(
        self,
        oscore: Path | None = None,
        *,
        config: EndpointConfig | None = None,
        clock: Clock | None = None,
        watch: Watcher | None = None,
        proxy: str | None = None,
    ) -> None:
        self._oscore = oscore
        self._config = config or EndpointConfig()
        self._clock = clock or SystemClock()
        self._watch = watch
        self._proxy = None if proxy is None else coap_uri.parse(proxy)
        self._file: ContextFile | None = None
        self._association: Association | None = None
        self._shells: dict[int, DatagramShell] = {}
        self._streams: StreamShell | None = None
        self._answers: asyncio.Queue[ResponseReceived] = asyncio.Queue()
        self._is_open = False

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
        self._is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the sockets, and give back the sequence numbers that were not used; who waits gets a `StateError`."""
        self._is_open = False
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
            StateError: as many as may wait do, or the client is not open.
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

    async def tell(self, method: Code, uri: str, payload: bytes = b"", **options: Unpack[Options]) -> None:
        """Send a request whose response nobody wants, once, and wait for nothing (RFC 7967).

        Nobody says whether it came. To one peer requests go out at PROBING_RATE (RFC 7252 §4.7), and what has not
        gone when the client is closed never does.

        Raises:
            DecodeError, UnsupportedError: the URI is none that we take.
            UnreachableError: no such name.
            StorageError: the context's file cannot be written.
        """
        taken = coap_uri.parse(uri)
        request = Message(method, options=[*request_options(options), _UNWANTED], payload=payload)
        first_hop = self._proxy or taken
        destination = (await resolve(first_hop))[0]
        shell, reached = await self._way(first_hop.scheme, destination)
        with _sendable():
            shell.tell(request.with_options(*self._named(taken, destination)), reached, association=self._name)

    async def ask(self, uri: str, state: bytes, **options: Unpack[Options]) -> None:
        """Send a GET and keep nothing of it: `state` travels in its token, sealed, and comes back by `answers`.

        That is for asking very many (RFC 8974 §3). A peer is asked once in the ordinary way first, and one that takes
        no long tokens always.

        Raises:
            DecodeError, UnsupportedError: the URI is none that we take.
            UnreachableError: no such name, or over TCP nobody is there.
            StateError: as many as may wait do; take answers first.
        """
        taken = coap_uri.parse(uri)
        first_hop = self._proxy or taken
        destination = (await resolve(first_hop))[0]
        shell, reached = await self._way(first_hop.scheme, destination)
        request = Message(Code.GET, options=[*request_options(options), *self._named(taken, destination)])
        with _sendable():
            shell.ask_stateless(request.with_options(), reached, state=state, association=self._name)

    async def answers(self, *, patience: float = _TIMEOUT) -> AsyncIterator[tuple[bytes, Response]]:
        """State and response of what `ask` sent, as they come, until for so many seconds none has.

        What had no answer is not told: who needs to know counts. Of answers that nobody takes the oldest go.
        """
        while True:
            try:
                async with asyncio.timeout(patience):
                    event = await self._answers.get()
            except TimeoutError:
                return
            yield event.state or b"", response_of(event)

    async def collect(self, uri: str, *, interface: str = "", **options: Unpack[Options]) -> AsyncIterator[Response]:
        """The responses of a group to a GET, in clear, each server's first, as they come (RFC 7252 §8).

        The URI has a multicast address, such as ``coap://[ff02::fd%25eth0]/.well-known/core``; servers take their
        time to answer (leisure, §8.2), and it ends when nobody is waited for any more: 10 seconds, or what the
        configuration says.

        Args:
            uri: of the resource at each of them.
            interface: IPv4 address of ours that a group of IPv4 is reached from; else the kernel chooses.
            options: as for `request`.

        Raises:
            DecodeError, UnsupportedError: the URI is no group's, or under OSCORE.
            NoResponseError: nobody answered.
            UnreachableError: there is no way to the group.
        """
        taken = coap_uri.parse(uri)
        if not is_group(taken) or taken.scheme != "coap" or self._association is not None or self._proxy is not None:
            raise UnsupportedError(
                "expected coap://, a multicast address, and neither OSCORE nor a proxy", spec="RFC 7252 §8"
            )
        shell, destination = await self._way(taken.scheme, (await resolve(taken))[0])
        if interface and isinstance(shell, DatagramShell):
            shell.send_groups_through(interface)
        request = Message(Code.GET, options=request_options(options))
        with _sendable():
            exchange = shell.ask(
                request.with_options(*taken.options(destination[:2])), destination, confirmable=False, multicast=True
            )
        try:
            async for response in _until(exchange, options.get("timeout")):
                yield response
        finally:
            shell.drop(exchange)

    # --- within

    def _named(self, uri: CoapUri, destination: Address) -> list[tuple[int, bytes]]:
        """What names a resource to the next hop: to a proxy, the whole of its URI (RFC 7252 §5.10.2)."""
        if self._proxy is None:
            return uri.options(destination[:2])
        return [(int(OptionNumber.PROXY_SCHEME), uri.scheme.encode()), *uri.options(("", 0))]

    @property
    def _name(self) -> AssociationId | None:
        return None if self._association is None else self._association.id

    @asynccontextmanager
    async def _responses(
        self, method: Code, uri: CoapUri, payload: bytes, options: Options, *, observe: bool
    ) -> AsyncIterator[tuple[Response, AsyncIterator[Response]]]:
        """The first response, and all of them."""
        if is_group(uri):
            raise UnsupportedError("a group is asked by `collect`: expected a unicast address", spec="RFC 7252 §8")
        request = Message(method, options=request_options(options), payload=payload)
        patience = options.get("timeout", _TIMEOUT)
        try:
            async with asyncio.timeout(patience):
                shell, exchange, first = await self._first(
                    uri, request, confirmable=options.get("confirmable", True), observe=observe
                )
        except TimeoutError:
            raise NoResponseError(f"{uri.host} did not answer within {patience:g} s") from None
        try:
            yield response_of(first), _following(exchange, first)
        finally:
            shell.drop(exchange)

    async def _first(
        self, uri: CoapUri, request: Message, *, confirmable: bool, observe: bool
    ) -> tuple[DatagramShell | StreamShell, Exchange, ResponseReceived]:
        """The first response, from the first address of the host at which somebody is."""
        first_hop = self._proxy or uri
        refused = UnreachableError(f"{first_hop.host} has no address")
        for destination in await resolve(first_hop):
            try:
                shell, reached = await self._way(first_hop.scheme, destination)
            except UnreachableError as error:
                refused = error
                continue
            with _sendable():
                whole = request.with_options(*self._named(uri, destination))
                exchange = shell.ask(whole, reached, association=self._name, confirmable=confirmable, observe=observe)
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
        """What asks a destination, and what it calls it.

        Raises:
            StateError: outside of ``async with``, where there is no context and sequence numbers are not ours.
            UnreachableError: over TCP nobody is there.
        """
        if not self._is_open:
            raise StateError("expected requests within `async with Client(...) as client`", reason="closed")
        if SPOKEN[scheme] == socket.SOCK_STREAM:
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
        return {
            "clock": self._clock,
            "reserve": self._reserve,
            "watch": self._watch,
            "on_stateless": self._on_stateless,
        }

    def _on_stateless(self, event: ResponseReceived) -> None:
        if self._answers.qsize() == self._config.max_requests:
            self._answers.get_nowait()
        self._answers.put_nowait(event)

    def _install(self, shell: DatagramShell | StreamShell) -> None:
        if self._association is not None:
            shell.install(self._association)

    def _reserve(self, _association: AssociationId | GroupId, upto: int) -> None:
        if self._file is not None:
            self._file.reserve(upto)


async def _following(exchange: Exchange, first: ResponseReceived) -> AsyncIterator[Response]:
    event = first
    while True:
        yield response_of(event)
        if event.is_last:
            return
        event = await exchange.outcome()


async def _until(exchange: Exchange, patience: float | None) -> AsyncIterator[Response]:
    """What comes in that many seconds, or until nobody is waited for."""
    deadline = None if patience is None else asyncio.get_running_loop().time() + patience
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                event = await exchange.following()
        except TimeoutError:
            return
        if event is None:
            return
        yield response_of(event)


@contextmanager
def _sendable() -> Iterator[None]:
    """What cannot be encoded is the fault of who asks."""
    try:
        yield
    except ValueError as error:
        raise DecodeError(f"the request cannot be sent: {error}", spec="RFC 7252 §5.10") from error
