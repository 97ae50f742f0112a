"""A request that has been decoded and verified: what the endpoint does of it itself, then the application's part."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from thingstead.endpoint.association import Associations
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.counter import Counters
from thingstead.endpoint.event import Event, ExchangeId, RequestReceived
from thingstead.endpoint.exchange import Part, ServerExchange
from thingstead.endpoint.memory import Memory
from thingstead.endpoint.message_layer import MessageLayer, reset
from thingstead.endpoint.reached import Reached
from thingstead.endpoint.representation import operation
from thingstead.endpoint.responder import Responder
from thingstead.errors import DecodeError, ProtocolError, SecurityError, UnsupportedError
from thingstead.protocols.coap.block import Block, BodyTooLargeError, IncompleteBodyError, decode_block
from thingstead.protocols.coap.echo import EchoMint
from thingstead.protocols.coap.message import Message, MessageType
from thingstead.protocols.coap.observe import ObserveRequest
from thingstead.protocols.coap.option import UnrecognisedOptionError, decode_uint, encode_uint, forwardable, recognised
from thingstead.protocols.coap.problem import Problem, with_problem
from thingstead.protocols.coap.registry import Code, OptionNumber

__all__ = ["Admission", "answer_to"]

_CON = MessageType.CON
_OBSERVABLE = frozenset((Code.GET, Code.FETCH))
_SAFE = frozenset((Code.GET, Code.FETCH))
_ACTED_ON = frozenset(
    int(number)
    for number in (
        OptionNumber.OBSERVE,
        OptionNumber.BLOCK1,
        OptionNumber.BLOCK2,
        OptionNumber.ECHO,
        OptionNumber.HOP_LIMIT,
        OptionNumber.NO_RESPONSE,
        OptionNumber.REQUEST_TAG,
        OptionNumber.PROXY_URI,
        OptionNumber.PROXY_SCHEME,
        OptionNumber.EDHOC,
        OptionNumber.SIZE2,
    )
)
_REFUSED = {
    OptionNumber.PROXY_URI: Code.PROXYING_NOT_SUPPORTED,
    OptionNumber.PROXY_SCHEME: Code.PROXYING_NOT_SUPPORTED,
    OptionNumber.EDHOC: Code.BAD_OPTION,
}
"""Options we know and do not serve: a proxy's (RFC 7252 §5.7.2), and EDHOC where it cannot stand (RFC 9668 §3.3)."""
_RELAYED = frozenset((OptionNumber.PROXY_URI, OptionNumber.PROXY_SCHEME, OptionNumber.HOP_LIMIT, OptionNumber.EDHOC))
"""What a proxy's application acts on, or passes on."""
_WHOLE = Block(0, False, 6)
_MAX_HOPS = 255
_ONLY_NONE_MATCH = frozenset((OptionNumber.IF_NONE_MATCH,))
_IN_PART = frozenset((OptionNumber.BLOCK1, OptionNumber.BLOCK2, OptionNumber.SIZE2))
_OVERLOADED = Message(Code.SERVICE_UNAVAILABLE)


class Admission:
    """Takes requests from the server, and hands them to the application.

    Attributes:
        unacknowledged: confirmable requests handed over, in the order they came; the server acknowledges them.
    """

    __slots__ = (
        "_acted_on",
        "_associations",
        "_config",
        "_counters",
        "_events",
        "_layer",
        "_mint",
        "_next_id",
        "_permits",
        "_reached",
        "_recognised",
        "_responder",
        "unacknowledged",
    )

    def __init__(
        self,
        config: EndpointConfig,
        *,
        layer: MessageLayer,
        associations: Associations,
        responder: Responder,
        mint: EchoMint,
        events: deque[Event],
        counters: Counters,
        next_id: Callable[[], ExchangeId],
        permits: Callable[[RequestReceived], bool],
    ) -> None:
        self._config = config
        self._acted_on = _ACTED_ON - _RELAYED if config.relays else _ACTED_ON
        self._recognised = forwardable if config.relays else recognised
        self._layer = layer
        self._permits = permits
        self._associations = associations
        self._responder = responder
        self._mint = mint
        self._events = events
        self._counters = counters
        self._next_id = next_id
        self._reached = Reached(max_sources=config.max_reached, lifetime=config.echo_lifetime)
        self.unacknowledged: deque[ServerExchange] = deque()

    def admit(self, exchange: ServerExchange, inner: Message, memory: Memory[ServerExchange], now: float) -> None:
        """Act on what is for the endpoint; deliver the rest, or refuse."""
        exchange.message = exchange.request = inner
        if exchange.binding is None and self._reached.has(exchange.source, now):
            exchange.allowance = None
        try:
            inner.options = self._recognised(inner.options)
            if exchange.is_elsewhere and not self._may_come_from_there(exchange, inner, now):
                return
            for number, _ in inner.options:
                if number in self._acted_on:
                    if not self._act_on(exchange, inner, memory, now):
                        return
                    break
        except ProtocolError as error:
            self._counters.count(error.reason, exchange.source)
            if isinstance(error, UnrecognisedOptionError) and self._is_rejected(exchange):
                return
            answer = answer_to(error, None if exchange.part is None else exchange.part.block1)
            if exchange.binding is not None:
                answer = with_problem(answer, _problem(error))
            self._responder.send(exchange, answer, now)
            return
        if len(memory.open) >= memory.max_open:
            self._counters.count("overload", exchange.source)
            self._responder.send(exchange, _OVERLOADED, now)
            return
        exchange.exchange = name = self._next_id()
        memory.open[name] = exchange
        if inner.type is _CON:
            self.unacknowledged.append(exchange)
        self._events.append(exchange)

    def _is_rejected(self, exchange: ServerExchange) -> bool:
        """Whether an option that we do not know makes us reject the message, not answer it (RFC 7252 §4.3, §5.4.1).

        So it is for a non-confirmable one. A proxy says all the same what it cannot forward (§5.7.1).
        """
        data = exchange.name[1]
        if exchange.request.type is _CON or not data or self._config.relays:
            return False
        if not exchange.is_multicast:
            self._layer.outgoing.append((reset(data), exchange.source))
        return True

    def _act_on(self, exchange: ServerExchange, inner: Message, memory: Memory[ServerExchange], now: float) -> bool:
        """Do what the options ask that are for the endpoint, and take them away; False when that was all."""
        special = {number: value for number, value in inner.options if number in self._acted_on}
        for number, code in _REFUSED.items():
            if number in special:
                # Of a combined request this one lacks the OSCORE option; inside, nothing can be combined any more.
                is_alone = number == OptionNumber.EDHOC and exchange.binding is None and bool(self._config.edhoc_path)
                self._responder.send(exchange, Message(Code.BAD_REQUEST if is_alone else code), now)
                return False
        hops = special.get(OptionNumber.HOP_LIMIT)
        if hops is not None and not 1 <= decode_uint(hops) <= _MAX_HOPS:
            raise DecodeError(f"expected a Hop-Limit of 1 to {_MAX_HOPS}", spec="RFC 8768 §3")
        exchange.no_response = decode_uint(special.get(OptionNumber.NO_RESPONSE, b""))
        if OptionNumber.ECHO in special and not exchange.is_elsewhere:
            self._note_echo(exchange, special[OptionNumber.ECHO], now)
        part = Part(wants_size=OptionNumber.SIZE2 in special)
        exchange.part = None if _IN_PART.isdisjoint(special) else part
        block2 = self._decode_block(special[OptionNumber.BLOCK2]) if OptionNumber.BLOCK2 in special else _WHOLE
        # Only the first block of a response is that of a notification (RFC 7959 §2.6).
        if OptionNumber.OBSERVE in special and inner.code in _OBSERVABLE and not block2.num:
            self._note_observe(exchange, special[OptionNumber.OBSERVE], memory)
        block1 = self._decode_block(special[OptionNumber.BLOCK1]) if OptionNumber.BLOCK1 in special else _WHOLE
        if (exchange.observe or (block1.more and not block1.num)) and not self._may_hold_state(exchange, memory, now):
            return False
        payload = inner.payload
        if OptionNumber.BLOCK1 in special:
            body = self._upload(exchange, part, inner, block1, memory, now)
            if body is None:
                return False
            payload = body
        if OptionNumber.BLOCK2 in special:
            part.block2 = block2
            stored = memory.representations.look(exchange.peer, inner, now) if block2.num else None
            is_over = stored is not None and not self._permits(exchange)
            if stored is not None and not is_over:
                self._responder.respond(exchange, stored, now, is_held=True)
                return False
            # What may be had no longer goes to the application as any request does, to be refused there.
            if block2.num and not is_over and not _is_self_contained(inner):
                # Only the first request carried the payload: handling this one would be handling another request.
                raise IncompleteBodyError("expected a block of a response that is still held", spec="RFC 7959 §2.7")
        exchange.message = inner.with_options(without=self._acted_on)
        exchange.message.payload = payload
        return True

    def _decode_block(self, value: bytes) -> Block:
        return decode_block(value, bert=self._layer.is_reliable)

    def _note_echo(self, exchange: ServerExchange, value: bytes, now: float) -> None:
        try:
            self._mint.verify(value, exchange.echo_name(), now)
        except SecurityError as error:
            self._counters.count(f"echo-{error.reason}", exchange.source)
        else:
            exchange.is_fresh = True
            exchange.allowance = None
            if exchange.binding is None:
                self._reached.note(exchange.source, now)

    def _may_come_from_there(self, exchange: ServerExchange, inner: Message, now: float) -> bool:
        """Whether to go on with a verified request from an address at which its sender was not seen to receive.

        Who carries a datagram away can send it on from anywhere. So before it acts, or observes, it has to bring
        back an Echo value from there, or come over a connection; a mere question is answered with what little may
        go to any address (R-68).
        """
        value = inner.option(OptionNumber.ECHO)
        if value is not None:
            self._note_echo(exchange, value, now)
        if exchange.allowance is None:
            association = self._associations.owner(exchange.binding)
            if self._associations.follow(association, exchange.binding, exchange.source):
                self._responder.relocate(association.id, exchange.source)
        elif inner.code not in _SAFE or inner.option(OptionNumber.OBSERVE) is not None:
            self._counters.count("path", exchange.source)
            self._responder.challenge(exchange, now)
            return False
        return True

    def _may_hold_state(self, exchange: ServerExchange, memory: Memory[ServerExchange], now: float) -> bool:
        """Whether more may be kept for the sender than one request; a stranger has to bring an Echo back with it.

        Else anybody could fill our tables in anybody's name, and have notifications sent there (RFC 9175 §2.4, R-49).
        That one came from there lately is good for long answers, and to register again under the same token, but not
        for this: it was with another request.
        """
        is_of_before = exchange.binding is None and self._reached.has(exchange.source, now)
        is_shown = exchange.is_fresh or not (exchange.is_unproven or is_of_before)
        is_held = is_of_before and memory.observers.find(exchange.peer, exchange.observation_name()) is not None
        if is_shown or is_held or self._config.insecure_state_for_strangers:
            return True
        self._counters.count("unverified", exchange.source)
        self._responder.challenge(exchange, now)
        return False

    def _note_observe(self, exchange: ServerExchange, value: bytes, memory: Memory[ServerExchange]) -> None:
        wish = decode_uint(value)
        if wish == ObserveRequest.REGISTER:
            exchange.observe = True
        elif wish == ObserveRequest.DEREGISTER:
            exchange.observe = False
            found = memory.observers.find(exchange.peer, exchange.observation_name())
            if found is not None:
                self._responder.end_observation(memory, found)

    def _upload(
        self,
        exchange: ServerExchange,
        part: Part,
        inner: Message,
        block: Block,
        memory: Memory[ServerExchange],
        now: float,
    ) -> bytes | None:
        """Take a Block1 piece: the body when it is complete, else ask for more (RFC 7959 §2.5)."""
        part.block1 = answer = Block(
            block.num,
            block.more,
            self._layer.pieces(exchange.source, is_protected=exchange.binding is not None).at_most(block.szx).szx,
        )
        size = inner.uint_option(OptionNumber.SIZE1)
        if size is not None and size > memory.uploads.max_body:
            raise BodyTooLargeError(memory.uploads.max_body)
        if block.num == 0 and not block.more:
            return inner.payload
        head = tuple([option for option in inner.options if option[0] == OptionNumber.IF_NONE_MATCH])
        upload = memory.uploads.receive(
            block, inner.payload, peer=exchange.peer, key=operation(inner), now=now, head=head
        )
        if upload is None:
            options = [(int(OptionNumber.BLOCK1), answer.encode())]
            self._responder.send(exchange, Message(Code.CONTINUE, options=options), now)
            return None
        # Block 0 alone says that there must be nothing there yet (RFC 7959 §2.10).
        inner.options = inner.with_options(*upload.head, without=_ONLY_NONE_MATCH).options
        return upload.body


def _is_self_contained(inner: Message) -> bool:
    """Whether a request for a later block may be answered anew: nothing comes of it, and it says all that was asked."""
    return inner.code == Code.GET or (inner.code == Code.FETCH and bool(inner.payload))


def answer_to(error: ProtocolError, block1: Block | None) -> Message:
    """The response to a verified request that cannot be taken (RFC 7252 §5.4.1, RFC 7959 §2.9)."""
    options = [] if block1 is None else [(int(OptionNumber.BLOCK1), block1.encode())]
    if isinstance(error, BodyTooLargeError):
        options.append((int(OptionNumber.SIZE1), encode_uint(error.limit)))
        return Message(Code.REQUEST_ENTITY_TOO_LARGE, options=options)
    if isinstance(error, IncompleteBodyError):
        return Message(Code.REQUEST_ENTITY_INCOMPLETE, options=options)
    return Message(Code.BAD_OPTION if isinstance(error, UnsupportedError) else Code.BAD_REQUEST)


def _problem(error: ProtocolError) -> Problem:
    """What a peer that has proved itself is told: its own mistake by name, and nothing about us (RFC 9290)."""
    if isinstance(error, UnrecognisedOptionError):
        return Problem(unprocessed_options=(error.number,))
    return Problem(title=error.reason)
