"""The server's way out: a response in blocks, as a notification, protected, within what the source may get."""

from __future__ import annotations

from collections import deque

from thingstead.endpoint.association import SequenceGate, SequenceOwner
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.counter import Counters
from thingstead.endpoint.event import Address, AssociationId, Event, ExchangeEnded, ExchangeId
from thingstead.endpoint.exchange import Observation, Part, ServerExchange
from thingstead.endpoint.memory import Memory
from thingstead.endpoint.message_layer import MessageLayer, acknowledgement
from thingstead.errors import DecodeError, StateError
from thingstead.protocols.coap.block import Block, cut, entity_tag
from thingstead.protocols.coap.code import is_error
from thingstead.protocols.coap.echo import EchoMint
from thingstead.protocols.coap.message import Message, MessageType, encode_as
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.group_oscore.protection import protect_group_response
from thingstead.protocols.oscore.protection import protect_response

__all__ = ["Responder"]

_OBSERVE = int(OptionNumber.OBSERVE)
_CON, _NON, _ACK = MessageType.CON, MessageType.NON, MessageType.ACK
_REPLACED = frozenset(
    int(number) for number in (OptionNumber.BLOCK1, OptionNumber.BLOCK2, OptionNumber.SIZE2, OptionNumber.ETAG)
)
_ONLY_OBSERVE = frozenset((_OBSERVE,))
_SEQUENCE_SPAN = 1 << 24
# Of a response under OSCORE: tag, inner code, payload marker, option with flags and Partial IV (RFC 8613 §5, §6.1).
_MAX_OVERHEAD = 16 + 1 + 1 + 1 + 1 + 5


class Responder:
    """Sends what the server has to say."""

    __slots__ = (
        "_config",
        "_counters",
        "_encode",
        "_events",
        "_gate",
        "_layer",
        "_mint",
        "_notifications",
        "_outgoing",
        "_parked",
        "_resets",
        "_room",
    )

    def __init__(
        self,
        config: EndpointConfig,
        *,
        layer: MessageLayer,
        gate: SequenceGate,
        mint: EchoMint,
        events: deque[Event],
        counters: Counters,
    ) -> None:
        self._config = config
        self._layer = layer
        self._encode = layer.encode
        self._room = layer.room
        self._outgoing = layer.outgoing
        self._gate = gate
        self._mint = mint
        self._events = events
        self._counters = counters
        self._notifications = 0
        self._parked: dict[SequenceOwner, deque[tuple[ServerExchange, Message]]] = {}
        self._resets: dict[tuple[object, int], tuple[Memory[ServerExchange], int]] = {}

    def respond(self, exchange: ServerExchange, response: Message, now: float, *, is_held: bool = False) -> None:
        """Answer a request, or notify an observer; of a response that is held already a later block is wanted.

        While a notification waits for its acknowledgement, only the newest state is kept for later (RFC 7641 §4.5.2).
        """
        observation = exchange.observation
        if observation is not None and observation.is_confirming:
            observation.pending = response
            return
        memory = exchange.memory
        if memory is None:
            raise ValueError("expected an exchange that was accepted")
        if exchange.part is not None or len(response.payload) > self._room:
            part = self._in_blocks(exchange, response, None if is_held else memory, now)
            if part is None:
                self._send_within(exchange, response, now)
                return
            response = part
        if exchange.observe:
            response = self._as_notification(exchange, response, memory)
        elif response.options and response.option(_OBSERVE) is not None:
            response = response.with_options(without=_ONLY_OBSERVE)
        self.send(exchange, response, now)
        if not exchange.observe:
            # Not before: what cannot be encoded leaves the exchange to another answer.
            memory.open.pop(exchange.exchange, None)

    def challenge(self, exchange: ServerExchange, now: float) -> None:
        """Answer 4.01 with an Echo value that the client is to bring back (RFC 9175 §2.3)."""
        self.end(exchange)
        self.send(exchange, self._challenge(exchange, now), now)

    def end(self, exchange: ServerExchange) -> None:
        """Forget an exchange: nothing more can be answered to it."""
        memory = exchange.memory
        if memory is None:
            return
        memory.open.pop(exchange.exchange, None)
        observation, exchange.observation = exchange.observation, None
        if observation is not None:
            memory.observing.pop(exchange.exchange, None)
            memory.observers.remove(exchange.exchange)
            self._resets.pop((exchange.source, observation.mid), None)

    def end_observation(self, memory: Memory[ServerExchange], exchange_id: int) -> None:
        """The peer observes no longer, by its own word or by its silence."""
        exchange = memory.observing.get(exchange_id)
        if exchange is not None:
            self.end(exchange)
            self._events.append(ExchangeEnded(ExchangeId(exchange_id)))

    def on_reset(self, source: object, mid: int) -> None:
        """A RST to a notification ends the observation (RFC 7641 §3.6)."""
        found = self._resets.get((source, mid))
        if found is not None:
            self.end_observation(*found)

    def on_acknowledged(self, owner: int, now: float) -> None:
        """The observer has what it was sent last: it gets what has become of it since."""
        exchange = self._layer.known.observing.get(owner) or self._layer.strangers.observing.get(owner)
        if exchange is not None and exchange.observation is not None:
            exchange.observation.is_confirming = False
            pending, exchange.observation.pending = exchange.observation.pending, None
            if pending is not None:
                self.respond(exchange, pending, now)

    def on_lost(self, owner: int) -> None:
        """Nobody acknowledged a notification: the observation ends (RFC 7641 §4.5)."""
        for memory in (self._layer.known, self._layer.strangers):
            self.end_observation(memory, owner)

    def acknowledge(self, exchange: ServerExchange) -> None:
        """Send the empty ACK that tells the client to wait for a separate response (RFC 7252 §5.2.2)."""
        reply = acknowledgement(exchange.name[1])
        if exchange.allowance is not None:
            exchange.allowance -= len(reply)
        self._reply(exchange, reply)

    def resume(self, name: SequenceOwner, now: float) -> None:
        """Sequence numbers have come: send what waited for them."""
        parked = self._parked.pop(name, None)
        for exchange, response in parked or ():
            self.send(exchange, response, now)

    def forget(self, name: SequenceOwner) -> None:
        """The association or group is gone, and with it all that was to be sent under it."""
        self._parked.pop(name, None)

    def relocate(self, name: AssociationId, source: Address) -> None:
        """The peer receives at another address now: so do its observations."""
        for exchange in self._layer.known.observing.values():
            if exchange.association == name and exchange.source != source and exchange.observation is not None:
                mid = exchange.observation.mid
                noted = self._resets.pop((exchange.source, mid), None)
                exchange.source = source
                if noted is not None:
                    self._resets[source, mid] = noted

    def send(self, exchange: ServerExchange, response: Message, now: float) -> None:
        """Send one response as it is, or park it until there is a sequence number for it."""
        if (exchange.is_multicast or exchange.no_response) and _is_unwanted(exchange, response):
            self._keep_silent(exchange)
            return
        if exchange.takes_sequence and not self._may_take(exchange, response):
            return
        outer = response
        if exchange.binding is not None:
            if exchange.allowance is not None and not self._is_within(exchange, response):
                self._send_within(exchange, response, now)
                return
            protect = protect_response if exchange.group is None else protect_group_response
            outer = protect(response, binding=exchange.binding)
            exchange.takes_sequence = True
            if exchange.hop is not None:
                outer = exchange.hop.piece(outer, now)
        request = exchange.request
        if exchange.is_answered or request.type is not _CON:
            kind, mid = self._kind(exchange, now), self._layer.mids.allocate(exchange.source)
        else:
            kind, mid = _ACK, request.mid
        data = self._encode(outer, kind, mid, request.token)
        if exchange.allowance is not None:
            if len(data) > exchange.allowance:
                self._send_within(exchange, response, now)
                return
            exchange.allowance -= len(data)
        if exchange.is_multicast:
            self._layer.send_later(data, exchange.source, now=now, spread=self._config.leisure)
        elif kind is _ACK:
            self._reply(exchange, data)
        else:
            self._launch(exchange, data, kind, mid, now)

    def _reply(self, exchange: ServerExchange, data: bytes) -> None:
        """Send what acknowledges the request, and keep it for duplicates."""
        exchange.is_answered = True
        if exchange.memory is not None:
            exchange.memory.duplicates.store(exchange.name, data)
        self._outgoing.append((data, exchange.source))

    def _kind(self, exchange: ServerExchange, now: float) -> MessageType:
        """Whether what does not acknowledge the request is to be acknowledged itself."""
        observation = exchange.observation
        if not exchange.observe:
            return exchange.request.type
        if observation is None or exchange.is_multicast:
            return _NON
        is_often = now - observation.notified_at < self._config.notification_pace and not self._layer.is_reliable
        return _CON if is_often or now - observation.confirmed_at >= self._config.confirm_after else _NON

    def _launch(self, exchange: ServerExchange, data: bytes, kind: MessageType, mid: int, now: float) -> None:
        exchange.is_answered = True
        observation = exchange.observation
        if observation is not None and exchange.memory is not None:
            self._resets.pop((exchange.source, observation.mid), None)
            self._resets[exchange.source, mid] = (exchange.memory, exchange.exchange)
            observation.mid = mid
        if kind is _NON:
            if observation is not None:
                observation.notified_at = now
            self._outgoing.append((data, exchange.source))
            return
        if observation is not None:
            observation.confirmed_at = now
        self._confirm(exchange, data, mid, now)

    def _confirm(self, exchange: ServerExchange, data: bytes, mid: int, now: float) -> None:
        repetitions = None
        if exchange.allowance is not None:
            repetitions = min(exchange.allowance // len(data), self._config.transmission.max_retransmit)
            exchange.allowance -= repetitions * len(data)
        try:
            self._layer.retransmitter.submit(
                data,
                exchange.source,
                mid,
                owner=exchange.exchange,
                now=now,
                repetitions=repetitions,
                room=self._config.max_unacknowledged,
            )
        except StateError as error:
            self._counters.count(error.reason, exchange.source)
        else:
            if exchange.observation is not None:
                exchange.observation.is_confirming = True

    def _is_within(self, exchange: ServerExchange, response: Message) -> bool:
        """Whether a protected response may go to a source that was not seen to receive; before it costs a nonce."""
        size = len(encode_as(response, _NON, 0, exchange.request.token)) + _MAX_OVERHEAD
        return exchange.allowance is None or size <= exchange.allowance

    def _send_within(self, exchange: ServerExchange, response: Message, now: float) -> None:
        """The response is too much for an unverified source: ask it to show itself (RFC 9175 §2.6)."""
        self._counters.count("amplification", exchange.source)
        if exchange.is_multicast or (exchange.is_answered and exchange.binding is None):
            self.end_observation(self._layer.strangers, exchange.exchange)
            return
        self.end(exchange)
        if response.option(OptionNumber.ECHO) is None:
            if exchange.is_answered:
                # A separate one would be repeated, and so amplify what it is to keep small (RFC 9175 §2.4).
                exchange.request.type = _NON
            self.send(exchange, self._challenge(exchange, now), now)
        else:
            self._keep_silent(exchange)

    def _keep_silent(self, exchange: ServerExchange) -> None:
        if exchange.request.type is _CON and not exchange.is_answered:
            self.acknowledge(exchange)

    def _challenge(self, exchange: ServerExchange, now: float) -> Message:
        value = self._mint.issue(exchange.echo_name(), now)
        return Message(Code.UNAUTHORIZED, options=[(OptionNumber.ECHO, value)])

    def _may_take(self, exchange: ServerExchange, response: Message) -> bool:
        """Whether there is a sequence number for this response; else it waits, or is dropped when many wait."""
        name = exchange.association or exchange.group
        if name is None:
            return True
        try:
            if self._gate.is_open(name, exchange.sequence):
                return True
        except StateError as error:
            self._counters.count(error.reason, exchange.source)
            return False
        parked = self._parked.setdefault(name, deque(maxlen=self._config.max_parked))
        parked.append((exchange, response))
        return False

    def _as_notification(self, exchange: ServerExchange, response: Message, memory: Memory[ServerExchange]) -> Message:
        """Enter or end the observation as the application's Observe option says (RFC 7641 §4.1, §4.2)."""
        accepts = response.option(_OBSERVE) is not None and not is_error(response.code)
        if exchange.observation is not None:
            if not accepts:
                self.end(exchange)
        else:
            del memory.open[exchange.exchange]
            accepts = accepts and self._register(exchange, memory)
        observation = exchange.observation
        if observation is not None and response.code == Code.CONTENT and not observation.keeps_format(response):
            self.end_observation(memory, exchange.exchange)
            accepts, response = False, Message(Code.NOT_ACCEPTABLE)
        if not accepts:
            exchange.observe = None
            return response.with_options(without=_ONLY_OBSERVE)
        exchange.takes_sequence = exchange.binding is not None
        self._notifications = (self._notifications + 1) % _SEQUENCE_SPAN
        # Over TCP it may be empty (RFC 8323 §7.1), but there too aiocoap takes only notifications whose number grows.
        return response.with_options((_OBSERVE, encode_uint(self._notifications)), without=_ONLY_OBSERVE)

    def _register(self, exchange: ServerExchange, memory: Memory[ServerExchange]) -> bool:
        name = exchange.observation_name()
        has_room, replaced = memory.observers.register(exchange.peer, name, exchange.exchange)
        if replaced is not None:
            self.end_observation(memory, replaced)
        if has_room:
            memory.observing[exchange.exchange] = exchange
            exchange.observation = Observation(exchange.created)
            exchange.spend_nonce()
        else:
            # The application has taken it for an observer by now.
            self._events.append(ExchangeEnded(ExchangeId(exchange.exchange)))
        return has_room

    def _in_blocks(
        self, exchange: ServerExchange, response: Message, memory: Memory[ServerExchange] | None, now: float
    ) -> Message | None:
        """The block of the response that was asked for; the rest is kept in `memory`, to be fetched (RFC 7959 §2.4).

        None where the rest could not be fetched, because nothing may be kept.
        """
        added: list[tuple[int, bytes]] = []
        part = exchange.part or Part()
        if part.block1 is not None:
            added.append((OptionNumber.BLOCK1, part.block1.encode()))
            part.block1 = None
        pieces = self._layer.pieces(exchange.source, is_protected=exchange.binding is not None)
        start = 0
        if part.block2 is not None:
            pieces = pieces.at_most(part.block2.szx)
            start = part.block2.offset
            part.block2 = Block(0, False, pieces.szx)
        if part.wants_size or (not start and len(response.payload) > pieces.room):
            added.append((OptionNumber.SIZE2, encode_uint(len(response.payload))))
        if (not start or is_error(response.code)) and len(response.payload) <= pieces.room:
            return response.with_options(*added, without=_REPLACED - {OptionNumber.ETAG})
        etag = response.option(OptionNumber.ETAG) or entity_tag(response.payload)
        if memory is not None and not self._keep(exchange, response, etag, memory, now):
            return None
        try:
            payload, block = cut(response.payload, start // Block(0, False, pieces.szx).size, pieces)
        except DecodeError:
            return Message(Code.BAD_REQUEST, options=added)
        added += [(OptionNumber.ETAG, etag), (OptionNumber.BLOCK2, block.encode())]
        cut_response = response.with_options(*added, without=_REPLACED)
        cut_response.payload = payload
        return cut_response

    def _keep(
        self, exchange: ServerExchange, response: Message, etag: bytes, memory: Memory[ServerExchange], now: float
    ) -> bool:
        """Keep a body for the blocks to come; False where it is not kept and cannot be asked for anew.

        Nothing is kept for a stranger before it has shown that it receives (R-49). A GET for a later block is then a
        request as any; of other methods only the first request has the payload that the response depends on.
        """
        if exchange.is_unproven and not self._config.insecure_state_for_strangers:
            return exchange.request.code == Code.GET
        whole = response.with_options((OptionNumber.ETAG, etag), without=_REPLACED | _ONLY_OBSERVE)
        memory.representations.put(exchange.peer, exchange.request, exchange.message.payload, whole, now)
        return True


def _is_unwanted(exchange: ServerExchange, response: Message) -> bool:
    if exchange.is_multicast and is_error(response.code):
        # A member that has lost its replay window says so all the same, or it would stay deaf (RFC 10021 §5.4).
        return response.option(OptionNumber.ECHO) is None
    return bool(exchange.no_response >> ((response.code >> 5) - 1) & 1)
