"""One endpoint on its sockets, for asyncio: what is asked is awaited, what comes in is answered."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable
from typing import Protocol, Required, TypedDict, Unpack

from thingstead.clock import Clock
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
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
from thingstead.errors import (
    NoResponseError,
    StateError,
    StorageError,
    ThingsteadError,
    UnreachableError,
)
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.transport.udp import Pump, send_groups_through

__all__ = ["Application", "DatagramShell", "Exchange", "Parts", "Reserve", "Shell", "Watcher"]

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
    on_stateless: Callable[[ResponseReceived], None] | None


class Exchange:
    """A request of ours: its responses one by one, the oldest dropped when nobody takes them.

    Attributes:
        id: as the endpoint calls it.
        destination: where it goes.
    """

    def __init__(self, name: ExchangeId, destination: Address) -> None:
        self.id = name
        self.destination = destination
        self._outcomes: asyncio.Queue[ResponseReceived | ThingsteadError | None] = asyncio.Queue()

    async def outcome(self) -> ResponseReceived:
        """The next response.

        Raises:
            ThingsteadError: there will be none, as the endpoint says.
        """
        outcome = await self.following()
        if outcome is None:
            raise NoResponseError("no response came, and none is waited for")
        return outcome

    async def following(self) -> ResponseReceived | None:
        """The next response; None when there will be no more, which is no fault.

        Raises:
            ThingsteadError: there will be none, as the endpoint says.
        """
        outcome = await self._outcomes.get()
        if isinstance(outcome, ThingsteadError):
            raise outcome
        return outcome

    def hand_over(self, outcome: ResponseReceived | ThingsteadError | None) -> None:
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
        on_stateless: takes the responses to what `ask_stateless` sent.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        clock: Clock,
        reserve: Reserve,
        application: Application | None = None,
        watch: Watcher | None = None,
        on_stateless: Callable[[ResponseReceived], None] | None = None,
    ) -> None:
        self._on_stateless = on_stateless
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
        multicast: bool = False,
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
            multicast=multicast,
        )
        exchange = self._exchanges[name] = Exchange(name, destination)
        self.flush()
        return exchange

    def tell(self, request: Message, destination: Address, *, association: AssociationId | None) -> None:
        """Send a request once, and want nothing of what comes of it.

        Raises:
            StateError: too many requests wait.
            ValueError: it cannot be encoded.
        """
        self._endpoint.send_request(request, destination, self._clock.now(), association=association, confirmable=False)
        self.flush()

    def ask_stateless(
        self, request: Message, destination: Address, *, state: bytes, association: AssociationId | None
    ) -> None:
        """Send a request of which nothing is kept but what travels with it (RFC 8974 §3).

        Raises:
            StateError: too many requests wait.
            ValueError: it cannot be encoded, or is more than a message.
        """
        now = self._clock.now()
        self._endpoint.send_stateless(request, destination, now, state=state, association=association)
        self.flush()

    def drop(self, exchange: Exchange) -> None:
        """Want no more of a request; an observation is ended at the peer too."""
        self._exchanges.pop(exchange.id, None)
        self._endpoint.cancel(exchange.id, self._clock.now())
        self.flush()

    def respond(self, exchange: ExchangeId, response: Message) -> None:
        """Answer a request later, or notify an observer."""
        self._send(exchange, response, self._clock.now())
        self.flush()

    # --- what the pump drives

    def run(self, now: float) -> None:
        """Act on what the endpoint tells."""
        while (event := self._endpoint.next_event()) is not None:
            match event:
                case ResponseReceived() if event.state is not None:
                    if self._on_stateless is not None:
                        self._on_stateless(event)
                case ResponseReceived():
                    self._hand_over(event.exchange, event)
                case ExchangeFailed():
                    self._hand_over(event.exchange, event.error)
                case RequestReceived():
                    self._answer(event, now)
                case ExchangeEnded():
                    self._hand_over(event.exchange, None)
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
                self.show(now, data, destination, True)
        return outgoing

    def show(self, now: float, data: bytes, peer: Address, is_outgoing: bool) -> None:
        """Tell who watches."""
        if self._watch is not None:
            self._watch(now, data, peer, is_outgoing)

    def next_deadline(self) -> float | None:
        """When `run` is wanted again."""
        return self._endpoint.next_deadline()

    # --- within

    def _abandon(self) -> None:
        """Nobody waits for what cannot come any more."""
        for name in list(self._exchanges):
            self._hand_over(name, StateError("closed before a response came", reason="closed"))

    def _answer(self, event: RequestReceived, now: float) -> None:
        response: Message | None = Message(Code.NOT_FOUND)
        if self._application is not None:
            response = self._application.on_request(event, now)
        if response is not None:
            self._send(event.exchange, response, now)

    def _send(self, exchange: ExchangeId, response: Message, now: float) -> None:
        """What cannot be encoded, or is no message at all, is 5.00 to who asked, and no loss to others."""
        try:
            self._endpoint.send_response(exchange, response, now)
        except Exception:
            _LOGGER.exception("a response cannot be sent")
            if self._application is not None:
                self._application.on_ended(exchange)
            self._endpoint.send_response(exchange, Message(Code.INTERNAL_SERVER_ERROR), now)

    def _keep(self, needed: SequenceNeeded) -> None:
        """What cannot be kept is not used: requests of that association fail, its responses stay away."""
        try:
            self._reserve(needed.association, needed.upto)
        except StorageError as error:
            for exchange in list(self._exchanges):
                self._hand_over(exchange, error)
        else:
            self._endpoint.sequence_reserved(needed.association, needed.upto)

    def _hand_over(self, name: ExchangeId, outcome: ResponseReceived | ThingsteadError | None) -> None:
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
        self._socket = sock
        self._pump = Pump(self, [sock], clock=self._clock, on_unreachable=self._on_unreachable)

    def flush(self) -> None:
        """Send what waits."""
        self._pump.flush()

    def send_groups_through(self, interface: str) -> None:
        """Reach groups of IPv4 from this address of ours.

        Raises:
            UnreachableError: it is none of ours.
        """
        try:
            send_groups_through(self._socket, interface)
        except OSError as error:
            raise UnreachableError(f"no group is reached from {interface}: {error}") from error

    def close(self) -> None:
        """Send what waits, and close the socket."""
        self._pump.flush()
        self._pump.close()
        self._abandon()

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        """Take a datagram."""
        self.show(now, data, source, False)
        self._endpoint.receive_datagram(data, source, now, multicast=multicast)

    def _on_unreachable(self, destination: Address) -> None:
        for exchange in [this for this in self._exchanges.values() if this.destination[:2] == destination[:2]]:
            self._endpoint.cancel(exchange.id, self._clock.now())
            error = UnreachableError(f"nobody can be reached at {destination[0]} port {destination[1]}")
            self._hand_over(exchange.id, error)
