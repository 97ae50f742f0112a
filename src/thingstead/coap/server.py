"""A CoAP server for asyncio programs: handlers by path and method, in clear only where that was said."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

from thingstead.clock import Clock, SystemClock
from thingstead.coap.shell import DatagramShell, Parts, Shell, Watcher
from thingstead.coap.stream_shell import StreamShell
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.discovery import PATH, discovery
from thingstead.endpoint.event import AssociationId, ExchangeId, GroupId, RequestReceived
from thingstead.endpoint.resource import Handler, Resources
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.coap.code import is_error, is_response
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.uri import DEFAULT_PORTS
from thingstead.storage.oscore_context import ContextFile
from thingstead.transport.udp import open_socket

__all__ = ["Server"]

_LOGGER = logging.getLogger(__name__)
_EVERYTHING = sum(Permission)
_OBSERVE = (int(OptionNumber.OBSERVE), b"")


ShellT = TypeVar("ShellT", bound=Shell)


class Server:
    """``async with Server() as server: server.serve("/hello", Code.GET, handler)``; it serves until the block ends.

    Args:
        host: IP address to be reached at; loopback, if nothing else is said.
        port: UDP port; 0 lets the kernel choose.
        tcp: serve the same over TCP, on the port of the same number (RFC 8323).
        oscore: files of OSCORE contexts: who holds the other half of one is served what is not public.
        config: bounds and times.
        clock: for timers.
        watch: told of every datagram, and of every message over TCP.

    Attributes:
        port: the one that it is reached at.
    """

    def __init__(
        self,
        host: str = "::1",
        port: int = DEFAULT_PORTS["coap"],
        *,
        tcp: bool = False,
        oscore: Iterable[Path] = (),
        config: EndpointConfig | None = None,
        clock: Clock | None = None,
        watch: Watcher | None = None,
    ) -> None:
        self.port = port
        self._host = host
        self._has_tcp = tcp
        self._oscore = tuple(oscore)
        self._config = config or EndpointConfig()
        self._clock = clock or SystemClock()
        self._watch = watch
        self._resources = Resources(self._grant)
        self._resources.register(PATH, Code.GET, discovery(self._resources, {}), public=True)
        self._observed: dict[str, dict[_Observer, RequestReceived]] = {}
        self._files: dict[str, ContextFile] = {}
        self._doors: list[_Door] = []

    async def __aenter__(self) -> Self:
        """Open the contexts and the sockets.

        Raises:
            ConfigError, DecodeError, StateError: a context cannot be used.
            TransportError: the address is not free.
        """
        permits = self._resources.permits
        sock = open_socket(self._host, self.port)
        self.port = sock.getsockname()[1]
        self._open(lambda parts: DatagramShell(sock, self._config, permits=permits, **parts))
        try:
            if self._has_tcp:
                streams = self._open(lambda parts: StreamShell(self._config, permits=permits, **parts))
                await streams.listen(self._host, self.port)
            for path in self._oscore:
                self._install(path)
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the sockets, and give back the sequence numbers that were not used."""
        self._close()

    def serve(
        self, path: str, method: Code, handler: Handler, *, public: bool = False, observable: bool = False
    ) -> None:
        """Answer a method on a path, from now on.

        Args:
            path: absolute.
            method: such as `Code.GET`.
            handler: takes a `Call` and returns the response; what it raises of our errors becomes an error code, all
                else 5.00.
            public: in clear too, for anyone.
            observable: of GET and FETCH: `changed` tells whoever has registered (RFC 7641).

        Raises:
            ValueError: a path that is not absolute, or is taken.
            TypeError: a coroutine function, which nobody would await.
        """
        if inspect.iscoroutinefunction(handler):
            raise TypeError(f"expected a plain function to answer {path}, got a coroutine function")
        self._resources.register(path, method, handler, public=public)
        if observable:
            self._observed.setdefault(path, {})

    def changed(self, path: str) -> int:
        """Send its new representation to whoever observes a path; returns to how many."""
        now = self._clock.now()
        observers = self._observed.get(path, {})
        told = list(observers.items())
        for observer, event in told:
            response = self._decide(event, now)
            if response is None or is_error(response.code):
                observers.pop(observer, None)
            if response is not None:
                door, exchange = observer
                door.shell.respond(exchange, _notification(response))
        return len(told)

    # --- what the doors ask

    def answer(self, door: _Door, event: RequestReceived, now: float) -> Message | None:
        """Decide, and have it handled."""
        response = self._decide(event, now)
        if response is not None and response.code == Code.UNAUTHORIZED and not self._oscore:
            # Where nobody has keys, there is nothing to authenticate for.
            is_served = event.message.path in self._resources.paths(public=False)
            return Message(Code.METHOD_NOT_ALLOWED if is_served else Code.NOT_FOUND)
        if response is None or not event.observe or is_error(response.code):
            return response
        observers = self._observed.get(event.message.path)
        if observers is None:
            return response
        observers[door, event.exchange] = event
        return _notification(response)

    def forget(self, door: _Door, exchange: ExchangeId) -> None:
        """Observe no longer for somebody."""
        for observers in self._observed.values():
            observers.pop((door, exchange), None)

    # --- within

    def _decide(self, event: RequestReceived, now: float) -> Message | None:
        try:
            response = self._resources.answer(event, now)
            if response is not None and not is_response(response.code):
                raise ValueError(f"expected a response of the handler, got code {response.code}")
        except Exception:
            # A fault in one handler must not take away what came in the same moment.
            _LOGGER.exception("a request for %s failed", event.message.path)
            return Message(Code.INTERNAL_SERVER_ERROR)
        return response

    def _open(self, make: Callable[[Parts], ShellT]) -> ShellT:
        door = _Door(self)
        door.shell = shell = make(
            {"clock": self._clock, "reserve": self._reserve, "application": door, "watch": self._watch}
        )
        self._doors.append(door)
        return shell

    def _install(self, path: Path) -> None:
        """Live behind every door under one context, so that what one has accepted is a replay for the others."""
        name = AssociationId(str(path))
        file = self._files[name] = ContextFile.open(path)
        context = file.context()
        for door in self._doors:
            door.shell.install(Association(name, context, peer=name))

    def _grant(self, event: RequestReceived) -> tuple[Hashable, Scope] | None:
        """Whoever holds the other half of a context may do all that is served."""
        if event.association is None:
            return None
        return event.association, Scope(dict.fromkeys(self._resources.paths(public=False), _EVERYTHING))

    def _reserve(self, association: AssociationId | GroupId, upto: int) -> None:
        self._files[association].reserve(upto)

    def _close(self) -> None:
        for door in self._doors:
            door.shell.close()
        self._doors.clear()
        for file in self._files.values():
            file.close()
        self._files.clear()


class _Door:
    """One transport of a server: each numbers its exchanges by itself."""

    shell: Shell

    def __init__(self, server: Server) -> None:
        self._server = server

    def on_request(self, event: RequestReceived, now: float) -> Message | None:
        return self._server.answer(self, event, now)

    def on_ended(self, exchange: ExchangeId) -> None:
        self._server.forget(self, exchange)


_Observer: TypeAlias = tuple[_Door, ExchangeId]


def _notification(response: Message) -> Message:
    return response if is_error(response.code) else response.with_options(_OBSERVE)
