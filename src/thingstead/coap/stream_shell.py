"""One endpoint on TCP connections, for asyncio (RFC 8323)."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from typing import Unpack
from weakref import WeakValueDictionary

from thingstead.coap.shell import Parts, Shell
from thingstead.endpoint.config import EndpointConfig, StreamConfig
from thingstead.endpoint.event import Address, RequestReceived
from thingstead.endpoint.stream_endpoint import StreamEndpoint
from thingstead.errors import ProtocolError, TransportError, UnreachableError
from thingstead.protocols.coap.tcp import FrameReader
from thingstead.transport.tcp import StreamPump

__all__ = ["StreamShell"]

_MAX_AWAY = 1024
"""Servers of which it is remembered for how long they want to be left alone."""


class StreamShell(Shell):
    """One endpoint on any number of TCP connections (RFC 8323), which it closes; made where a loop runs.

    Args:
        config: of the endpoint.
        permits: as for `Endpoint`.
        rest: as for `Shell`.
    """

    def __init__(
        self,
        config: EndpointConfig,
        *,
        permits: Callable[[RequestReceived], bool] = lambda _event: True,
        **rest: Unpack[Parts],
    ) -> None:
        self._stream = StreamEndpoint(config, StreamConfig(), random_bytes=secrets.token_bytes, permits=permits)
        super().__init__(self._stream, **rest)
        self._pump = StreamPump(self, clock=self._clock)
        self._readers: dict[tuple[Address, bool], FrameReader] = {}
        self._open: set[Address] = set()
        self._opening: WeakValueDictionary[Address, asyncio.Lock] = WeakValueDictionary()
        self._changed = asyncio.Event()
        self._away: dict[Address, float] = {}

    def flush(self) -> None:
        """Send what waits."""
        self._pump.flush()

    def close(self) -> None:
        """Send what waits, and close every connection."""
        self._pump.flush()
        self._pump.close()
        self._abandon()

    async def listen(self, host: str, port: int) -> int:
        """Accept connections too; as `StreamPump.listen`."""
        return await self._pump.listen(host, port)

    async def reach(self, destination: Address) -> Address:
        """The connection to an address, opened if there is none.

        One whose other end wants no more requests is closed once nothing is waited for on it, and the next is opened
        no sooner than that end wants it (RFC 8323 §5.5).

        Raises:
            UnreachableError: nobody is there.
        """
        while self._stream.hold_off(destination) is not None:
            await self._changed.wait()
        await asyncio.sleep(self._away.pop(destination, 0.0) - self._clock.now())
        # Requests that begin together share the connection that the first of them opens.
        async with self._opening.setdefault(destination, asyncio.Lock()):
            if destination not in self._open:
                try:
                    return await self._pump.open(*destination[:2])
                except TransportError as error:
                    raise UnreachableError(
                        f"nobody can be reached at {destination[0]} port {destination[1]}"
                    ) from error
        return destination

    def show(self, now: float, data: bytes, peer: Address, is_outgoing: bool) -> None:
        """Tell who watches of the messages that these bytes complete."""
        if self._watch is None:
            return
        reader = self._readers.setdefault((peer, is_outgoing), FrameReader(StreamConfig().connection.limits))
        reader.receive(data)
        with contextlib.suppress(ProtocolError):
            while (message := reader.next_message()) is not None:
                self._watch(now, message, peer, is_outgoing)

    def connect(self, address: Address, now: float, *, is_ours: bool = False) -> None:
        """A connection is there."""
        self._stream.connect(address, now, is_ours=is_ours)
        self._open.add(address)

    def disconnect(self, address: Address, now: float) -> None:
        """A connection is gone."""
        self._open.discard(address)
        hold_off = self._stream.hold_off(address)
        if hold_off and len(self._away) < _MAX_AWAY:
            self._away[address] = now + hold_off
        for is_outgoing in (True, False):
            self._readers.pop((address, is_outgoing), None)
        self._stream.disconnect(address, now)
        self._changed.set()
        self._changed = asyncio.Event()

    def receive_bytes(self, data: bytes, address: Address, now: float) -> None:
        """Take bytes."""
        self.show(now, data, address, False)
        self._stream.receive_bytes(data, address, now)

    def pause(self, address: Address, *, is_full: bool) -> None:
        """Whether the way to a peer is full."""
        self._stream.pause(address, is_full=is_full)

    def connections_to_close(self) -> list[Address]:
        """Connections that are over."""
        return self._stream.connections_to_close()
