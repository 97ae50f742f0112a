"""One endpoint on its sockets, for asyncio: what is asked is awaited, what comes in is answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import Callable
from typing import Protocol, Required, TypedDict, Unpack

from thingstead.clock import Clock
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig, StreamConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import (
    Address,
    AssociationId,
    ExchangeEnded,
    ExchangeFailed,
    ExchangeId,
    GroupId,
    RenewalNeeded,
    RequestReceived,
    ResponseReceived,
    SequenceNeeded,
)
from thingstead.endpoint.stream_endpoint import StreamEndpoint
from thingstead.errors import ProtocolError, StorageError, ThingsteadError, TransportError, UnreachableError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.coap.tcp import FrameReader
from thingstead.transport.tcp import StreamPump
from thingstead.transport.udp import Pump

__all__ = ["Application", "DatagramShell", "Exchange", "Parts", "Reserve", "Shell", "StreamShell", "Watcher"]

Reserve = Callable[[AssociationId | GroupId, int], None]
"""Makes durable that an association's numbers below this one are spent, or raises `StorageError`."""

Watcher = Callable[[float, bytes | Message, Address, bool], None]
"""Told of each datagram, or message of a connection: monotonic seconds, what, the peer, and whether it goes out."""

_LOGGER = logging.getLogger(__name__)
_MAX_WAITING = 64


class Application(Protocol):
    """What requests of peers come to."""

    def on_request(self, event: RequestReceived, now: float) -> Message | None:
        """The response, or None when it comes later by `Shell.respond`."""
        ...

    def on_ended(self, exchange: ExchangeId) -> None:
        """An observation that a peer had is over."""
        ...


class Parts(TypedDict, total=False):
    """What `Shell` takes beside its endpoint."""

    clock: Required[Clock]
    reserve: Required[Reserve]
    application: Application | None
    watch: Watcher | None


class Exchange:
    """A request of ours: its responses one by one, the oldest dropped when nobody takes them.

    Attributes:
        id: as the endpoint calls it.
        destination: where it goes.
    """

    def __init__(self, name: ExchangeId, destination: Address) -> None:
        self.id = name
        self.destination = destination
        self._outcomes: asyncio.Queue[ResponseReceived | ThingsteadError] = asyncio.Queue()

    async def outcome(self) -> ResponseReceived:
        """The next response.

        Raises:
            ThingsteadError: there will be none, as the endpoint says.
        """
        outcome = await self._outcomes.get()
        if isinstance(outcome, ThingsteadError):
            raise outcome
        return outcome

    def hand_over(self, outcome: ResponseReceived | ThingsteadError) -> None:
        """Keep an outcome until it is taken."""
        # A newer representation stands for all before it (RFC 7641 §1.3).
        if self._outcomes.qsize() == _MAX_WAITING:
            self._outcomes.get_nowait()
        self._outcomes.put_nowait(outcome)


class Shell:
    """Drives an endpoint and hands its events over; a subclass has the sockets.

    Args:
        endpoint: the core.
        clock: for timers.
        reserve: keeps sequence numbers.
        application: answers requests; None has no resources.
        watch: told of all that goes by.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        clock: Clock,
        reserve: Reserve,
        application: Application | None = None,
        watch: Watcher | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._reserve = reserve
        self._application = application
        self._watch = watch
        self._exchanges: dict[ExchangeId, Exchange] = {}

    def flush(self) -> None:
        """Send what waits."""
        raise NotImplementedError

    def close(self) -> None:
        """Send what waits, and close all sockets."""
        raise NotImplementedError

    def install(self, association: Association) -> None:
        """Make a security association live."""
        self._endpoint.install(association)

    def ask(
        self,
        request: Message,
        destination: Address,
        *,
        association: AssociationId | None = None,
        confirmable: bool = True,
        observe: bool = False,
    ) -> Exchange:
        """Send a request; `drop` must follow, whatever comes of it.

        Raises:
            StateError: too many requests wait.
            ValueError: it cannot be encoded.
        """
        name = self._endpoint.send_request(
            request,
            destination,
            self._clock.now(),
            association=association,
            confirmable=confirmable,
            observe=observe,
        )
        exchange = self._exchanges[name] = Exchange(name, destination)
        self.flush()
        return exchange

    def drop(self, exchange: Exchange) -> None:
        """Want no more of a request; an observation is ended at the peer too."""
        self._exchanges.pop(exchange.id, None)
        self._endpoint.cancel(exchange.id, self._clock.now())
        self.flush()

    def respond(self, exchange: ExchangeId, response: Message) -> None:
        """Answer a request later, or notify an observer."""
        self._endpoint.send_response(exchange, response, self._clock.now())
        self.flush()

    # --- what the pump drives

    def run(self, now: float) -> None:
        """Act on what the endpoint tells."""
        while (event := self._endpoint.next_event()) is not None:
            match event:
                case ResponseReceived():
                    self._hand_over(event.exchange, event)
                case ExchangeFailed():
                    self._hand_over(event.exchange, event.error)
                case RequestReceived():
                    self._answer(event, now)
                case ExchangeEnded():
                    if self._application is not None:
                        self._application.on_ended(event.exchange)
                case SequenceNeeded():
                    self._keep(event)
                case RenewalNeeded():
                    _LOGGER.warning("the OSCORE keys of %s are nearly used up; make a new context", event.association)

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """What may leave now."""
        outgoing = self._endpoint.datagrams_to_send(now)
        # What was given up just now is told at once, and not when something else happens.
        self.run(now)
        outgoing += self._endpoint.datagrams_to_send(now)
        if self._watch is not None:
            for data, destination in outgoing:
                self.tell(now, data, destination, True)
        return outgoing

    def tell(self, now: float, data: bytes, peer: Address, is_outgoing: bool) -> None:
        """Tell who watches."""
        if self._watch is not None:
            self._watch(now, data, peer, is_outgoing)

    def next_deadline(self) -> float | None:
        """When `run` is wanted again."""
        return self._endpoint.next_deadline()

    # --- within

    def _answer(self, event: RequestReceived, now: float) -> None:
        response: Message | None = Message(Code.NOT_FOUND)
        if self._application is not None:
            response = self._application.on_request(event, now)
        if response is not None:
            self._endpoint.send_response(event.exchange, response, now)

    def _keep(self, needed: SequenceNeeded) -> None:
        """What cannot be kept is not used: requests of that association fail, its responses stay away."""
        try:
            self._reserve(needed.association, needed.upto)
        except StorageError as error:
            for exchange in list(self._exchanges):
                self._hand_over(exchange, error)
        else:
            self._endpoint.sequence_reserved(needed.association, needed.upto)

    def _hand_over(self, name: ExchangeId, outcome: ResponseReceived | ThingsteadError) -> None:
        exchange = self._exchanges.get(name)
        if exchange is not None:
            exchange.hand_over(outcome)


class DatagramShell(Shell):
    """One endpoint on one UDP socket, which it closes; made where a loop runs.

    Args:
        sock: bound and non-blocking.
        config: of the endpoint.
        permits: as for `Endpoint`.
        rest: as for `Shell`.
    """

    def __init__(
        self,
        sock: socket.socket,
        config: EndpointConfig,
        *,
        permits: Callable[[RequestReceived], bool] = lambda _event: True,
        **rest: Unpack[Parts],
    ) -> None:
        super().__init__(Endpoint(config, random_bytes=secrets.token_bytes, permits=permits), **rest)
        self._pump = Pump(self, [sock], clock=self._clock, on_unreachable=self._on_unreachable)

    def flush(self) -> None:
        """Send what waits."""
        self._pump.flush()

    def close(self) -> None:
        """Send what waits, and close the socket."""
        self._pump.flush()
        self._pump.close()

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        """Take a datagram."""
        self.tell(now, data, source, False)
        self._endpoint.receive_datagram(data, source, now, multicast=multicast)

    def _on_unreachable(self, destination: Address) -> None:
        for exchange in [this for this in self._exchanges.values() if this.destination[:2] == destination[:2]]:
            self._endpoint.cancel(exchange.id, self._clock.now())
            error = UnreachableError(f"nobody can be reached at {destination[0]} port {destination[1]}")
            self._hand_over(exchange.id, error)


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

    def flush(self) -> None:
        """Send what waits."""
        self._pump.flush()

    def close(self) -> None:
        """Send what waits, and close every connection."""
        self._pump.flush()
        self._pump.close()

    async def listen(self, host: str, port: int) -> int:
        """Accept connections too; as `StreamPump.listen`."""
        return await self._pump.listen(host, port)

    async def reach(self, destination: Address) -> Address:
        """The connection to an address, opened if there is none.

        Raises:
            UnreachableError: nobody is there.
        """
        if destination not in self._open:
            try:
                destination = await self._pump.open(*destination[:2])
            except TransportError as error:
                raise UnreachableError(f"nobody can be reached at {destination[0]} port {destination[1]}") from error
        return destination

    def tell(self, now: float, data: bytes, peer: Address, is_outgoing: bool) -> None:
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
        for is_outgoing in (True, False):
            self._readers.pop((address, is_outgoing), None)
        self._stream.disconnect(address, now)

    def receive_bytes(self, data: bytes, address: Address, now: float) -> None:
        """Take bytes."""
        self.tell(now, data, address, False)
        self._stream.receive_bytes(data, address, now)

    def pause(self, address: Address, *, is_full: bool) -> None:
        """Whether the way to a peer is full."""
        self._stream.pause(address, is_full=is_full)

    def connections_to_close(self) -> list[Address]:
        """Connections that are over."""
        return self._stream.connections_to_close()
