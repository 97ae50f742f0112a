"""What goes out for requests of ours: each message under its token, protected, and repeated where that is due."""

from __future__ import annotations

from collections import deque

from thingstead.endpoint.association import Association, SequenceGate
from thingstead.endpoint.client_exchange import ClientExchange
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.event import Address, AssociationId
from thingstead.endpoint.message_layer import MessageLayer
from thingstead.endpoint.outstanding import Outstanding
from thingstead.endpoint.rederivation import Rederivation
from thingstead.errors import StateError
from thingstead.protocols.coap.echo import is_echo
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.token import Tokens
from thingstead.protocols.edhoc.combined_request import combine
from thingstead.protocols.oscore.protection import protect_request

__all__ = ["ClientSender"]

_TRIAL_REPETITIONS = 1
_ECHO = frozenset((int(OptionNumber.ECHO),))


class ClientSender:
    """The sending half of a client; what has no sequence number yet waits here for one."""

    __slots__ = (
        "_config",
        "_echoes",
        "_encode",
        "_gate",
        "_layer",
        "_outstanding",
        "_parked",
        "_rederivation",
        "_tokens",
    )

    def __init__(
        self,
        config: EndpointConfig,
        *,
        layer: MessageLayer,
        gate: SequenceGate,
        rederivation: Rederivation,
        tokens: Tokens,
        outstanding: Outstanding,
    ) -> None:
        self._config = config
        self._layer = layer
        self._encode = layer.encode
        self._gate = gate
        self._rederivation = rederivation
        self._tokens = tokens
        self._outstanding = outstanding
        self._echoes: dict[tuple[Address, AssociationId | None], bytes] = {}
        self._parked: dict[AssociationId, deque[int]] = {}

    def send(self, exchange: ClientExchange, now: float) -> None:
        """Send the next message of an exchange, or park it until there is a sequence number.

        Raises:
            StateError: there will be no number, or too many messages wait for one.
            ValueError: a request that cannot be encoded.
        """
        association = exchange.association
        if association is None:
            self._transmit(exchange, now)
            return
        self._rederivation.renew(association)
        if self._gate.is_open(association.id, association.context.sender.sequence):
            self._transmit(exchange, now)
        else:
            self._park(exchange, association.id)

    def send_again(self, exchange: ClientExchange, now: float) -> None:
        """Send what is on its way once more, because somebody asked for that who proved nothing.

        What is protected goes as it is: protected anew, it might be carried out twice, by a server that had it after
        all (RFC 8613 §7.4, appendix D.5.3).

        Raises:
            StateError, ValueError: as for `send`.
        """
        if exchange.protected is None:
            self.send(exchange, now)
            return
        outer = [] if exchange.outer_echo is None else [(int(OptionNumber.ECHO), exchange.outer_echo)]
        message = exchange.protected.with_options(*outer, without=_ECHO)
        message.mid, message.token = self._layer.mids.allocate(exchange.destination), self._token(exchange)
        exchange.protected, exchange.reassembly = message, None
        self._launch(exchange, message, now)

    def ask_for_piece(self, exchange: ClientExchange, now: float) -> None:
        """Ask for the next outer piece of a response."""
        self._dispatch(exchange, exchange.next_piece(self._layer.mids.allocate(exchange.destination)), now)

    def keep_echo(self, exchange: ClientExchange, inner: Message) -> None:
        """Keep the Echo value that a response brings, for the next request to who sent it (RFC 9175 §2.3).

        A relay passes it on instead.
        """
        value = inner.option(OptionNumber.ECHO)
        if not is_echo(value) or inner.code == Code.UNAUTHORIZED or self._config.relays:
            return
        if len(self._echoes) >= self._config.max_peers:
            del self._echoes[next(iter(self._echoes))]
        self._echoes[_endpoint(exchange)] = value

    def resumed(self, association_id: AssociationId) -> tuple[int, ...]:
        """The exchanges that waited for sequence numbers of this association, and do no longer."""
        return tuple(self._parked.pop(association_id, ()))

    def deregister(self, exchange: ClientExchange) -> None:
        """Tell the server, once and without waiting for its answer; it also learns from a RST (RFC 7641 §3.6).

        A request that is longer than a message is not sent again for that: the RST has to do.
        """
        if len(exchange.request.payload) > exchange.pieces.whole:
            return
        mid = self._layer.mids.allocate(exchange.destination)
        message = exchange.deregistration(mid)
        association = exchange.association
        if association is not None:
            if not self._may_take(association):
                return
            message, _ = protect_request(
                message, context=association.context, with_kid_context=association.with_kid_context
            )
        data = self._encode(message, message.type, mid, exchange.observe_token)
        self._layer.outgoing.append((data, exchange.destination))

    def _park(self, exchange: ClientExchange, association_id: AssociationId) -> None:
        parked = self._parked.setdefault(association_id, deque())
        if len(parked) >= self._config.max_parked:
            raise StateError("expected fewer requests waiting for sequence numbers", spec="RFC 8613 §7.2.1")
        parked.append(exchange.id)

    def _token(self, exchange: ClientExchange) -> bytes:
        """The token of the message to send now: a registration that is repeated keeps its own (RFC 7641 §3.3.1)."""
        if exchange.is_registering_again and exchange.is_registration():
            return exchange.observe_token
        if exchange.trial:
            return exchange.trial
        return self._tokens.unprotected() if exchange.association is None else self._tokens.protected()

    def _transmit(self, exchange: ClientExchange, now: float) -> None:
        if self._echoes and exchange.echo is None:
            exchange.echo = self._echoes.pop(_endpoint(exchange), None)
        message = exchange.compose(self._token(exchange), self._layer.mids.allocate(exchange.destination))
        association = exchange.association
        if association is not None:
            message, exchange.binding = protect_request(
                message, context=association.context, with_kid_context=association.with_kid_context
            )
            exchange.protected, exchange.reassembly = message, None
            if exchange.message_3:
                message = combine(message, exchange.message_3)
                exchange.message_3 = b""
        self._launch(exchange, message, now)

    def _launch(self, exchange: ClientExchange, message: Message, now: float) -> None:
        exchange.mid = message.mid
        self._outstanding.name(exchange, message.token)
        if exchange.is_registration() and not exchange.is_registering_again:
            exchange.observe_binding = exchange.binding
        self._dispatch(exchange, message, now)

    def _dispatch(self, exchange: ClientExchange, message: Message, now: float) -> None:
        data = self._encode(message, message.type, message.mid, message.token)
        if self._layer.is_reliable:
            self._layer.outgoing.append((data, exchange.destination))
            return
        wait = None if exchange.is_confirmable else len(data) / self._config.transmission.probing_rate
        # Who is silent to a long token is asked with a short one, and not a minute later.
        repetitions = _TRIAL_REPETITIONS if exchange.trial else None
        self._layer.retransmitter.submit(
            data,
            exchange.destination,
            message.mid,
            owner=exchange.id,
            now=now,
            wait=wait,
            repetitions=repetitions,
        )

    def _may_take(self, association: Association) -> bool:
        try:
            return self._gate.is_open(association.id, association.context.sender.sequence)
        except StateError:
            return False


def _endpoint(exchange: ClientExchange) -> tuple[Address, AssociationId | None]:
    """The other end as RFC 7252 §1.2 has it: the security association is part of it."""
    return exchange.destination, None if exchange.association is None else exchange.association.id
