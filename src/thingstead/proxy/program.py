"""The proxy as a program: its sockets, until it is told to end."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from thingstead.clock import Clock, SystemClock
from thingstead.endpoint.event import Address
from thingstead.errors import TransportError
from thingstead.protocols.coap.registry import Scheme
from thingstead.proxy.config import ProxyConfig
from thingstead.proxy.core import Proxy
from thingstead.transport.tcp import StreamPump
from thingstead.transport.udp import Pump, open_socket

__all__ = ["running"]


@asynccontextmanager
async def running(config: ProxyConfig, *, clock: Clock | None = None) -> AsyncIterator[Proxy]:
    """Serve until the block ends.

    Raises:
        TransportError: the address is not free.
    """
    program = _Program(config, clock or SystemClock())
    async with AsyncExitStack() as closing:
        closing.push_async_callback(program.close)
        await program.open()
        yield program.proxy


class _Program:
    """A proxy between its pumps: what one of them brings may be for the other to send."""

    def __init__(self, config: ProxyConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._pumps: list[Pump | StreamPump] = []
        self._streams: StreamPump | None = None
        self._opening: set[asyncio.Task[None]] = set()
        self._is_called = False
        self.proxy = Proxy(
            config, random_bytes=secrets.token_bytes, today=lambda: clock.utc().date(), acted=self._on_acted
        )

    async def open(self) -> None:
        listen = self._config.listen
        sock = open_socket(listen.host, listen.port)
        self._pumps.append(
            Pump(
                self.proxy,
                [sock],
                clock=self._clock,
                on_unreachable=lambda destination: self.proxy.on_unreachable(destination, self._clock.now()),
                is_known=self.proxy.is_known,
            )
        )
        if listen.tcp or any(origin.scheme is Scheme.COAP_TCP for origin in self._config.origin):
            self._streams = StreamPump(self.proxy.streams, clock=self._clock)
            self._pumps.append(self._streams)
        if listen.tcp and self._streams is not None:
            await self._streams.listen(listen.host, sock.getsockname()[1])

    async def close(self) -> None:
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for pump in self._pumps:
            pump.close()

    def _on_acted(self) -> None:
        if self._streams is not None and not self._is_called:
            self._is_called = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_called = False
        for origin in self.proxy.streams.wanted():
            # No more than there are origins; each ends by itself, in its time.
            task = self._loop.create_task(self._connect(origin))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        for pump in self._pumps:
            pump.flush()

    async def _connect(self, origin: Address) -> None:
        if self._streams is None:
            raise TypeError("connections are wanted only where there may be some")
        try:
            async with asyncio.timeout(self._config.limits.connect_seconds):
                await self._streams.open(*origin)
        except (TransportError, TimeoutError):
            self.proxy.streams.on_unopened(origin, self._clock.now())
            self._on_acted()
