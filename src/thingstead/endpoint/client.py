"""The client: requests out, in blocks where they are long, and responses put together again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from thingstead.endpoint.association import Association, SequenceGate
from thingstead.endpoint.client_exchange import OF_BLOCKS, ClientExchange
from thingstead.endpoint.client_sender import ClientSender
from thingstead.endpoint.client_verification import refusal_error, verify
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.counter import Counters, RateLimit
from thingstead.endpoint.event import (
    Address,
    AssociationId,
    Event,
    ExchangeEnded,
    ExchangeFailed,
    ExchangeId,
    ResponseReceived,
)
from thingstead.endpoint.message_layer import MessageLayer, acknowledgement, reset
from thingstead.endpoint.outstanding import Outstanding
from thingstead.endpoint.rederivation import Rederivation
from thingstead.endpoint.stateless_client import StatelessClient
from thingstead.errors import (
    DecodeError,
    NoResponseError,
    ReplayError,
    StateError,
    ThingsteadError,
    TransportError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.coap.block import decode_block
from thingstead.protocols.coap.message import Message, MessageType, decode
from thingstead.protocols.coap.observe import reregistration_wait
from thingstead.protocols.coap.option import forwardable, recognised_in_response
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.token import Tokens

__all__ = ["Client"]

_MAX_AGE = 60
"""Seconds that a response without Max-Age is fresh (RFC 7252 §5.10.5)."""


class Client:
    """Sends requests and follows them to their last response."""

    __slots__ = (
        "_config",
        "_counters",
        "_events",
        "_gate",
        "_layer",
        "_next_id",
        "_outstanding",
        "_recognised",
        "_rederivation",
        "_rejections",
        "_sender",
        "_stateless",
    )

    def __init__(
        self,
        config: EndpointConfig,
        *,
        layer: MessageLayer,
        gate: SequenceGate,
        rederivation: Rederivation,
        tokens: Tokens,
        stateless: StatelessClient,
        events: deque[Event],
        counters: Counters,
        next_id: Callable[[], ExchangeId],
    ) -> None:
        self._config = config
        self._recognised = forwardable if config.relays else recognised_in_response
        self._layer = layer
        self._gate = gate
        self._rederivation = rederivation
        self._stateless = stateless
        self._events = events
        self._counters = counters
        self._next_id = next_id
        self._outstanding = Outstanding()
        self._sender = ClientSender(
            config, layer=layer, gate=gate, rederivation=rederivation, tokens=tokens, outstanding=self._outstanding
        )
        self._rejections = RateLimit(config.refusals_per_second)

    def send(
        self,
        request: Message,
        destination: Address,
        now: float,
        *,
        association: Association | None,
        is_confirmable: bool,
        observe: bool,
        message_3: bytes = b"",
        state: bytes | None = None,
    ) -> int:
        """Start an exchange; `state` comes back with its response.

        Raises:
            StateError: as many requests wait as may.
            ValueError: a request that cannot be encoded.
        """
        if len(self._outstanding) >= self._config.max_requests:
            raise StateError(f"expected at most {self._config.max_requests} requests to be waiting")
        pieces = self._layer.pieces(destination, is_protected=association is not None)
        exchange = ClientExchange(
            self._next_id(), request, destination, association, pieces=pieces, is_reliable=self._layer.is_reliable
        )
        exchange.is_confirmable = is_confirmable
        exchange.observe = observe
        exchange.message_3 = message_3
        exchange.state = state
        exchange.trial = self._stateless.trial(destination, now, state=state, association=association)
        self._outstanding.add(exchange)
        try:
            self._step(exchange, now)
        except ValueError:
            self._drop(exchange, now)
            raise
        return exchange.id

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take a datagram whose code is a response's."""
        if self._layer.is_duplicate((source, data)):
            self._counters.count("duplicate", source)
            return
        try:
            message = decode(data, limits=self._config.message)
        except DecodeError as error:
            self._counters.count(error.reason, source)
            if data[0] & 0x30 == 0:
                self._layer.outgoing.append((reset(data), source))
            return
        self.take(message, source, now, data)

    def take(self, message: Message, source: Address, now: float, data: bytes = b"") -> None:
        """Take a response; `data` is the datagram that it came in, if it did."""
        try:
            if not self._outstanding.knows(message.token):
                self._take_stateless(message, source, now, data)
                return
            exchange = self._outstanding.answered_by(message, source)
        except ThingsteadError as error:
            self._reject(message, source, error, now, data)
            return
        if self._wants_less(exchange, message, now):
            self._go_on(exchange, message, data, source, now)
            self._step(exchange, now, is_again=True)
            return
        if exchange.is_refused_by(message):
            self._fail(exchange, refusal_error(message.code), now)
            return
        try:
            whole = exchange.gather(message, source)
            if whole is None:
                self._go_on(exchange, message, data, source, now)
                self._await(exchange, now)
                self._sender.ask_for_piece(exchange, now)
                return
            if self._is_to_come_again(exchange, whole):
                self._go_on(exchange, message, data, source, now)
                self._step(exchange, now)
                return
            inner = verify(exchange, whole, gate=self._gate, is_relay=self._config.relays)
        except ThingsteadError as error:
            self._pass_over(message, source, error, data)
            return
        try:
            inner.options = self._recognised(inner.options)
        except UnsupportedError as error:
            self._reject(message, source, error, now, data)
            self._fail(exchange, error, now)
            return
        self._go_on(exchange, message, data, source, now)
        try:
            self._progress(exchange, inner, message.token, source, now)
        except ThingsteadError as error:
            self._counters.count(error.reason, source)
            self._fail(exchange, error, now)

    def _take_stateless(self, message: Message, source: Address, now: float, data: bytes) -> None:
        """Take the response to a request that nothing was kept of (RFC 8974 §3.3)."""
        event = self._stateless.receive(message, source, now)
        event.message.options = self._recognised(event.message.options)
        if message.type is MessageType.CON:
            self._acknowledge(data, source, now, is_known=event.association is not None)
        self._events.append(event)

    def _wants_less(self, exchange: ClientExchange, message: Message, now: float) -> bool:
        """Whether an unverified error asks for the same again: with a short token, or an Echo value outside.

        4.00 refuses a token of this length (RFC 8974 §2.2.2), 4.01 asks whether we are where we say (RFC 9175 §2.4).
        """
        if exchange.trial and message.code == Code.BAD_REQUEST:
            exchange.trial = b""
            self._stateless.support.refuse(exchange.destination, now)
            return True
        return exchange.is_refused_by(message) and exchange.wants_outer_echo(message)

    def _go_on(self, exchange: ClientExchange, message: Message, data: bytes, source: Address, now: float) -> None:
        """Our message has had its response."""
        if exchange.trial:
            self._stateless.support.accept(exchange.destination, len(exchange.trial), now)
            exchange.trial = b""
        self._layer.retransmitter.acknowledge(exchange.destination, exchange.mid, now)
        if message.type is MessageType.CON:
            self._acknowledge(data, source, now, is_known=exchange.association is not None)

    def _is_to_come_again(self, exchange: ClientExchange, message: Message) -> bool:
        """Whether the server answers with a random part of its own for new keys (RFC 8613 appendix B.2)."""
        association = exchange.association
        if association is None or not self._rederivation.follow(association, message, exchange.binding):
            return False
        return exchange.may_restart()

    def _reject(self, message: Message, source: Address, error: ThingsteadError, now: float, data: bytes) -> None:
        """Take no notice of a response, and say so where that is due (RFC 7252 §4.2, §5.4.1).

        That is for a confirmable one; and, at a bounded rate, for a notification of what we do not observe, which
        would else come again and again (RFC 7641 §3.6).
        """
        self._counters.count(error.reason, source)
        is_notification = message.type is MessageType.NON and message.option(OptionNumber.OBSERVE) is not None
        if message.type is MessageType.CON or (is_notification and data and self._rejections.allow(now)):
            self._layer.outgoing.append((reset(data), source))

    def _pass_over(self, message: Message, source: Address, error: ThingsteadError, data: bytes) -> None:
        """Stop processing what does not verify; that ends neither the request nor an observation (RFC 8613 §8.4.2).

        A RST would end it at the server. What was verified before, or overtaken by what was, is acknowledged as any
        duplicate is, or it would come again and again.
        """
        self._counters.count(error.reason, source)
        if isinstance(error, ReplayError) and message.type is MessageType.CON:
            self._layer.outgoing.append((acknowledgement(data), source))

    def on_reset(self, exchange_id: int, now: float) -> None:
        """The peer did not know what to do with our request."""
        self._lose(exchange_id, TransportError("the peer reset the request", spec="RFC 7252 §4.2", reason="reset"), now)

    def on_lost(self, exchange_id: int, now: float) -> None:
        """Nobody acknowledged our request."""
        error = NoResponseError("nobody acknowledged the request", spec="RFC 7252 §4.2", reason="no-acknowledgement")
        self._lose(exchange_id, error, now)

    def cancel(self, exchange_id: int, now: float) -> None:
        """Want no more of an exchange; tell the server when it is an observation (RFC 7641 §3.6)."""
        exchange = self._outstanding.find(exchange_id)
        if exchange is None:
            return
        self._drop(exchange, now)
        # A message that another protected is accepted once; whoever sent it learns from a RST.
        if exchange.order is not None and exchange.request.option(OptionNumber.OSCORE) is None:
            self._sender.deregister(exchange)

    def expire(self, now: float) -> None:
        """Give up what had no response in time, and register again where no notification came in time."""
        for exchange in self._outstanding.overdue(now):
            if exchange.is_resting:
                exchange.register_again()
                self._step(exchange, now)
            elif exchange.may_stay_unanswered() and exchange.order is None:
                self._drop(exchange, now)
                self._events.append(ExchangeEnded(ExchangeId(exchange.id)))
            else:
                self._fail(exchange, NoResponseError("no response came in time"), now)

    @property
    def outstanding(self) -> Outstanding:
        """Requests of ours that wait."""
        return self._outstanding

    def next_deadline(self) -> float | None:
        """When `expire` has something to do."""
        return self._outstanding.next_deadline()

    def disconnect(self, destination: Address, error: ThingsteadError, now: float) -> None:
        """Nothing comes from `destination` any more: what it was asked fails, what is observed there too."""
        for exchange in [this for this in self._outstanding if this.destination == destination]:
            exchange.order = None
            self._fail(exchange, error, now)

    def resume(self, association_id: AssociationId, now: float) -> None:
        """Sequence numbers have come: go on with what waited for them."""
        for name in self._sender.resumed(association_id):
            exchange = self._outstanding.find(name)
            if exchange is not None:
                self._step(exchange, now)

    def forget(self, association_id: AssociationId, now: float) -> None:
        """The association is gone: its requests fail."""
        self._sender.resumed(association_id)
        for exchange in self._outstanding:
            if exchange.association is not None and exchange.association.id == association_id:
                error = UntrustedError("the association was ended", reason="ended")
                exchange.order = None
                self._fail(exchange, error, now)

    def _step(self, exchange: ClientExchange, now: float, *, is_again: bool = False) -> None:
        """Send the next message of an exchange, or the last once more, or park it until there is a sequence number."""
        self._await(exchange, now)
        try:
            (self._sender.send_again if is_again else self._sender.send)(exchange, now)
        except StateError as error:
            self._fail(exchange, error, now)

    def _acknowledge(self, data: bytes, source: Address, now: float, *, is_known: bool) -> None:
        memory = self._layer.known if is_known else self._layer.strangers
        reply = acknowledgement(data)
        memory.duplicates.remember((source, data), now)
        memory.duplicates.store((source, data), reply)
        self._layer.outgoing.append((reply, source))

    def _progress(self, exchange: ClientExchange, inner: Message, token: bytes, source: Address, now: float) -> None:
        """Go one step on with an accepted response."""
        self._sender.keep_echo(exchange, inner)
        if exchange.wants_echo(inner) or exchange.wants_block(inner):
            self._step(exchange, now)
            return
        exchange.sender = None
        if inner.code == Code.CONTINUE:
            raise DecodeError("expected a final response, got 2.31", spec="RFC 7959 §2.9.1")
        if token == exchange.observe_token and not exchange.is_in_order(inner, now):
            self._counters.count("stale-notification", source)
            return
        value = inner.option(OptionNumber.BLOCK2)
        if value is None or exchange.is_piece:
            self._deliver(exchange, inner, source, now)
            return
        block = decode_block(value, bert=exchange.is_reliable)
        if not block.num and not block.more:
            self._deliver(exchange, inner.with_options(without=OF_BLOCKS), source, now)
            return
        whole = exchange.collect(inner, block, limit=self._config.max_download)
        if whole is None:
            self._step(exchange, now)
        else:
            self._deliver(exchange, whole, source, now)

    def _deliver(self, exchange: ClientExchange, message: Message, source: Address, now: float) -> None:
        name = None if exchange.association is None else exchange.association.id
        is_last = exchange.order is None
        event = ResponseReceived(ExchangeId(exchange.id), message, source, name, None, is_last, exchange.state)
        self._events.append(event)
        exchange.restarts = exchange.failures = 0
        if is_last:
            self._drop(exchange, now)
            return
        max_age = message.uint_option(OptionNumber.MAX_AGE)
        self._rest(exchange, now + (_MAX_AGE if max_age is None else max_age))

    def _await(self, exchange: ClientExchange, now: float) -> None:
        """A message goes out, and what comes of it comes in time or not at all."""
        exchange.is_resting = False
        self._outstanding.wait(exchange, now + self._config.response_timeout)

    def _rest(self, exchange: ClientExchange, fresh_until: float) -> None:
        """Wait for the next notification, and some time after `fresh_until` no longer (RFC 7641 §3.3.1)."""
        exchange.is_resting = True
        if exchange.may_register_again():
            wait = reregistration_wait(exchange.failures, jitter=self._layer.jitter())
            self._outstanding.wait(exchange, fresh_until + wait)
        else:
            exchange.deadline = float("inf")

    def _lose(self, exchange_id: int, error: ThingsteadError, now: float) -> None:
        """Our message came to nothing; a trial comes again with a short token: to a long one aiocoap is silent."""
        exchange = self._outstanding.find(exchange_id)
        if exchange is not None and exchange.trial:
            exchange.trial = b""
            self._stateless.support.refuse(exchange.destination, now)
            self._step(exchange, now, is_again=True)
        elif exchange is not None:
            self._fail(exchange, error, now)

    def _fail(self, exchange: ClientExchange, error: ThingsteadError, now: float) -> None:
        """The current message is lost: so is its exchange, unless it is an observation, which goes on for long."""
        exchange.failures += 1
        if exchange.order is not None and exchange.failures <= self._config.max_reregistrations:
            exchange.stop_collecting()
            self._layer.retransmitter.withdraw(exchange.destination, exchange.mid, now)
            self._rest(exchange, now)
            return
        self._drop(exchange, now)
        self._events.append(ExchangeFailed(ExchangeId(exchange.id), error))

    def _drop(self, exchange: ClientExchange, now: float) -> None:
        self._outstanding.remove(exchange)
        self._layer.retransmitter.withdraw(exchange.destination, exchange.mid, now)
