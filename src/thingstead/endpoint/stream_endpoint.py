"""One endpoint over connections, both roles on each: bytes and `now` in, events and bytes out (RFC 8323)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from thingstead.endpoint.config import EndpointConfig, StreamConfig
from thingstead.endpoint.connections import Connections
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import Address, AssociationId, ExchangeId, GroupId, RequestReceived
from thingstead.endpoint.exchange import ServerExchange
from thingstead.endpoint.stream_layer import StreamLayer
from thingstead.errors import StateError, TransportError
from thingstead.protocols.coap.code import is_request, is_response
from thingstead.protocols.coap.message import Message

__all__ = ["StreamEndpoint"]


class StreamEndpoint(Endpoint):
    """`Endpoint` with connections in the place of datagrams.

    A connection is named by the address of its other end, whoever opened it, and each end may ask the other. The
    adapter tells of a connection that is there with `connect` and of one that is gone with `disconnect`, and closes
    those that `connections_to_close` names.

    Args:
        config: as for `Endpoint`; what is about datagrams does not count.
        streams: bounds and times of connections.
    """

    __slots__ = ("_connections",)

    def __init__(
        self,
        config: EndpointConfig,
        streams: StreamConfig,
        *,
        random_bytes: Callable[[int], bytes],
        permits: Callable[[RequestReceived], bool] = lambda _event: True,
    ) -> None:
        self._connections = Connections(streams)
        layer = StreamLayer(config, random_bytes, connections=self._connections)
        # A connection that stands is all the confirmation there is (RFC 8323 §7.2).
        silent = replace(config, confirm_after=float("inf"))
        super().__init__(silent, random_bytes=random_bytes, layer=layer, permits=permits)

    def connect(self, address: Address, now: float, *, is_ours: bool = False) -> None:
        """A connection with `address` is there; `is_ours` when we opened it.

        Raises:
            StateError: there are as many with this host as may be, or in all and none of them is a stranger's.
        """
        try:
            self._connections.add(address, now)
        except StateError as error:
            self._counters.count(error.reason, address)
            raise
        if is_ours:
            self._connections.prove(address)

    def disconnect(self, address: Address, now: float) -> None:
        """The connection with `address` is gone: so is what was asked and observed over it, in both directions."""
        connection = self._connections.drop(address)
        if connection is None:
            return
        if connection.error is not None:
            self._counters.count(connection.error.reason, address)
        self._server.disconnect(address)
        error = connection.error or TransportError("the connection was closed", reason="closed")
        self._client.disconnect(address, error, now)

    def receive_bytes(self, data: bytes, address: Address, now: float) -> None:
        """Take bytes that a connection brought; never raises, whatever they hold."""
        self._now = now
        for message in self._connections.receive(data, address, now):
            if is_request(message.code):
                exchange = ServerExchange((address, b""), message, now, False)
                self._server.take(exchange, now)
                if exchange.association is not None:
                    self._connections.prove(address)
            elif is_response(message.code):
                self._client.take(message, address, now)
            else:
                self._counters.count("code", address)

    def pause(self, address: Address, *, is_full: bool) -> None:
        """The way to `address` is full, or free again; what waits counts against `ConnectionConfig.max_unsent`."""
        self._connections.pause(address, is_full=is_full)

    def release(self, address: Address) -> None:
        """Ask the other end for no more requests; what is under way is still answered (RFC 8323 §5.5)."""
        self._connections.release(address)

    def hold_off(self, address: Address) -> int | None:
        """Seconds that who wants no more requests wants no new connection either; None who takes them (§5.5)."""
        connection = self._connections.find(address)
        return connection.hold_off if connection is not None and connection.is_released else None

    def send_request(
        self,
        request: Message,
        destination: Address | None,
        now: float,
        *,
        association: AssociationId | None = None,
        group: GroupId | None = None,
        confirmable: bool = True,  # noqa: ARG002 (of `Endpoint`; everything arrives here)
        observe: bool = False,
        multicast: bool = False,
        message_3: bytes = b"",
    ) -> ExchangeId:
        """As `Endpoint.send_request`, over a connection that is there; `confirmable` means nothing.

        Raises:
            StateError: also without a connection to the destination, or when it is released; or for a group, or all.
        """
        found = None if association is None else self._associations.find(association)
        target = found.address if destination is None and found is not None else destination
        self._require_connection(None if group is not None or multicast else target)
        return super().send_request(
            request,
            target,
            now,
            association=association,
            confirmable=False,
            observe=observe,
            message_3=message_3,
        )

    def send_stateless(
        self,
        request: Message,
        destination: Address,
        now: float,
        *,
        state: bytes,
        association: AssociationId | None = None,
    ) -> ExchangeId | None:
        """As `Endpoint.send_stateless`; whether the peer takes such a token, its CSM has said (RFC 8974 §2.2.1).

        Raises:
            StateError: also without a connection to the destination, or when it is released.
        """
        self._require_connection(destination)
        return super().send_stateless(request, destination, now, state=state, association=association)

    def _require_connection(self, destination: Address | None) -> None:
        connection = None if destination is None else self._connections.find(destination)
        if connection is None or connection.is_over or connection.is_released:
            raise StateError("expected a connection that takes requests", spec="RFC 8323 §5.5", reason="address")

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Do what is due and take the bytes for each connection that is not paused."""
        for frame, address in super().datagrams_to_send(now):
            try:
                self._connections.send(frame, address)
            except StateError as error:
                self._counters.count(error.reason, address)
        if not self._connections.is_settled:
            memories = (self._layer.known, self._layer.strangers)
            asked = {one.source for this in memories for one in this.open.values()}
            self._connections.settle(asked, self._client.outstanding.awaited())
        self._connections.expire(now)
        return self._connections.take_bytes()

    def connections_to_close(self) -> list[Address]:
        """Connections that are over; what they still had to say has been taken, or never will be."""
        return self._connections.over()

    def next_deadline(self) -> float | None:
        """When `datagrams_to_send` has something to do, if nothing else happens before."""
        parts = (super().next_deadline(), self._connections.next_deadline())
        return min((part for part in parts if part is not None), default=None)
