"""The client of a group: one request out, responses of several servers in (RFC 7252 §8, RFC 10020, RFC 10021)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from thingstead.endpoint.association import Group, SequenceGate, SequenceOwner
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.counter import Counters
from thingstead.endpoint.event import (
    Address,
    Event,
    ExchangeEnded,
    ExchangeFailed,
    ExchangeId,
    GroupId,
    ResponseReceived,
)
from thingstead.endpoint.message_layer import MessageLayer
from thingstead.errors import StateError, ThingsteadError, TransportError, UnsupportedError, UntrustedError
from thingstead.protocols.coap.block import decode_block
from thingstead.protocols.coap.echo import is_echo
from thingstead.protocols.coap.message import Message, MessageType, decode, encode
from thingstead.protocols.coap.option import recognised_in_response
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.token import Tokens
from thingstead.protocols.group_oscore.binding import GroupBinding
from thingstead.protocols.group_oscore.protection import protect_group_request, unprotect_group_response

__all__ = ["GroupClient"]

_ECHO = frozenset((int(OptionNumber.ECHO),))


class _GroupExchange:
    __slots__ = ("bindings", "deadline", "destination", "group", "id", "request", "responded", "responses", "retried")

    def __init__(self, name: int, request: Message, destination: Address, group: Group | None, deadline: float) -> None:
        self.id = name
        self.request = request
        self.destination = destination
        self.group = group
        self.deadline = deadline
        self.bindings: dict[bytes, GroupBinding | None] = {}
        self.responded: set[Address] = set()
        self.responses = 0
        self.retried: set[bytes] = set()


class GroupClient:
    """Sends to groups; collects what members answer until the time is up."""

    __slots__ = ("_by_id", "_by_token", "_config", "_counters", "_events", "_gate", "_layer", "_parked", "_tokens")

    def __init__(
        self,
        config: EndpointConfig,
        *,
        layer: MessageLayer,
        gate: SequenceGate,
        tokens: Tokens,
        events: deque[Event],
        counters: Counters,
    ) -> None:
        self._config = config
        self._layer = layer
        self._gate = gate
        self._tokens = tokens
        self._events = events
        self._counters = counters
        self._by_id: dict[int, _GroupExchange] = {}
        self._by_token: dict[bytes, _GroupExchange] = {}
        self._parked: dict[SequenceOwner, deque[int]] = {}

    def expects(self, data: bytes) -> bool:
        """Whether a datagram carries the token of a group's request."""
        return bool(self._by_token) and data[4 : 4 + (data[0] & 0x0F)] in self._by_token

    def send(
        self,
        request: Message,
        destination: Address,
        now: float,
        *,
        group: Group | None,
        next_id: Callable[[], ExchangeId],
    ) -> int:
        """Send a non-confirmable request in group mode, or in clear; it must fit into one datagram (RFC 10020).

        Raises:
            StateError: as many requests wait as may, or the sequence numbers are used up.
            ValueError: a body longer than a block, or a question whether an entity-tag still holds: each server has
                tags of its own (RFC 7252 §8.2.1).
        """
        if request.code == Code.GET and request.option(OptionNumber.ETAG) is not None:
            raise ValueError("a GET to a group has no ETag (RFC 7252 §8.2.1)")
        if len(request.payload) > 16 << self._config.block_szx:
            raise ValueError(f"a request to a group has a body of at most {16 << self._config.block_szx} bytes")
        if len(self._by_id) >= self._config.max_requests:
            raise StateError(f"expected at most {self._config.max_requests} requests to be waiting")
        exchange = _GroupExchange(next_id(), request, destination, group, now + self._config.group_timeout)
        self._start(exchange)
        self._by_id[exchange.id] = exchange
        return exchange.id

    def receive(self, data: bytes, source: Address) -> None:
        """Take a response; anybody may send one, and where there are members only theirs are believed."""
        try:
            message = decode(data, limits=self._config.message)
            exchange = self._by_token[message.token]
            binding = exchange.bindings[message.token]
            kid: bytes | None = None
            response = message
            if binding is None:
                self._note(exchange, message, source)
            else:
                response, member = unprotect_group_response(message, binding=binding)
                kid = member.kid
            response.options = recognised_in_response(response.options)
            _require_whole(response)
            echo = response.option(OptionNumber.ECHO)
            if response.code == Code.UNAUTHORIZED and is_echo(echo) and kid is not None and kid not in exchange.retried:
                exchange.retried.add(kid)
                self._repeat(exchange, echo, source)
                return
        except ThingsteadError as error:
            self._counters.count(error.reason, source)
            return
        exchange.responses += 1
        self._events.append(ResponseReceived(ExchangeId(exchange.id), response, source, None, kid, False))

    def cancel(self, exchange_id: int) -> None:
        """Collect no more."""
        exchange = self._by_id.pop(exchange_id, None)
        if exchange is not None:
            for token in exchange.bindings:
                del self._by_token[token]

    def expire(self, now: float) -> None:
        """End what has been collected for long enough; all wait equally long, so the oldest comes first."""
        while self._by_id:
            exchange = next(iter(self._by_id.values()))
            if exchange.deadline > now:
                return
            self.cancel(exchange.id)
            if exchange.responses:
                self._events.append(ExchangeEnded(ExchangeId(exchange.id)))
            else:
                error = TransportError("no member of the group responded", reason="no-response")
                self._events.append(ExchangeFailed(ExchangeId(exchange.id), error))

    def next_deadline(self) -> float | None:
        """When `expire` has something to do."""
        return next(iter(self._by_id.values())).deadline if self._by_id else None

    def resume(self, name: SequenceOwner) -> None:
        """Sequence numbers have come: send what waited for them."""
        for exchange_id in self._parked.pop(name, ()):
            exchange = self._by_id.get(exchange_id)
            if exchange is not None:
                self._start(exchange)

    def forget(self, group_id: GroupId) -> None:
        """The group is gone, or has new keys: what is out under the old ones fails."""
        self._parked.pop(group_id, None)
        for exchange in [this for this in self._by_id.values() if this.group is not None and this.group.id == group_id]:
            self.cancel(exchange.id)
            error = UntrustedError("the group was ended or rekeyed", reason="ended")
            self._events.append(ExchangeFailed(ExchangeId(exchange.id), error))

    def _note(self, exchange: _GroupExchange, message: Message, source: Address) -> None:
        """One response of each server, from wherever it answers (RFC 7252 §8.2); what is confirmable is acknowledged.

        Raises:
            UntrustedError: a protected response to a request in clear.
            StateError: one more of the same server, or more servers than may answer.
        """
        if message.option(OptionNumber.OSCORE) is not None:
            raise UntrustedError("expected no OSCORE in the response to a plain request", spec="RFC 8613 §8.4")
        if message.type is MessageType.CON:
            ack = Message(Code.EMPTY, MessageType.ACK, message.mid)
            self._layer.outgoing.append((encode(ack), source))
        elif message.type is not MessageType.NON:
            raise StateError("no request has this message ID", spec="RFC 7252 §8.2", reason="unexpected-response")
        if source in exchange.responded or len(exchange.responded) >= self._config.max_group_responses:
            raise StateError("expected one response of each server", spec="RFC 7252 §8.2", reason="duplicate")
        exchange.responded.add(source)

    def _start(self, exchange: _GroupExchange) -> None:
        if exchange.group is None or self._gate.is_open(exchange.group.id, exchange.group.context.own.sequence):
            self._transmit(exchange, exchange.request, exchange.destination)
        else:
            self._park(exchange, exchange.group.id)

    def _transmit(self, exchange: _GroupExchange, request: Message, destination: Address) -> None:
        mid = self._layer.mids.allocate(destination)
        group = exchange.group
        token = self._tokens.unprotected() if group is None else self._tokens.protected()
        message = Message(request.code, MessageType.NON, mid, token, request.options, request.payload)
        binding: GroupBinding | None = None
        if group is not None:
            message, binding = protect_group_request(message, context=group.context)
        exchange.bindings[token] = binding
        self._by_token[token] = exchange
        self._layer.outgoing.append((encode(message), destination))

    def _repeat(self, exchange: _GroupExchange, echo: bytes, member_address: Address) -> None:
        """Bring one member its Echo value back, at the address it answered from (RFC 10021 §5.4)."""
        group = exchange.group
        if group is not None and self._gate.is_open(group.id, group.context.own.sequence):
            request = exchange.request.with_options((OptionNumber.ECHO, echo), without=_ECHO)
            self._transmit(exchange, request, member_address)

    def _park(self, exchange: _GroupExchange, group: GroupId) -> None:
        parked = self._parked.setdefault(group, deque())
        if len(parked) >= self._config.max_parked:
            raise StateError("expected fewer requests waiting for sequence numbers", spec="RFC 8613 §7.2.1")
        parked.append(exchange.id)


def _require_whole(response: Message) -> None:
    value = response.option(OptionNumber.BLOCK2)
    if value is not None and decode_block(value).more:
        raise UnsupportedError("expected a response of one block from a group", spec="RFC 10020")
