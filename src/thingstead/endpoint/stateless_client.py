"""The stateless client: what a response is to be processed by travels in the token of its request (RFC 8974 §3)."""

from __future__ import annotations

from collections.abc import Callable

from thingstead.endpoint.association import Association, Associations, SequenceGate
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.event import Address, AssociationId, ExchangeId, ResponseReceived
from thingstead.endpoint.message_layer import MessageLayer
from thingstead.endpoint.state_token import STATE_OVERHEAD, StateTokens
from thingstead.endpoint.token_support import TokenSupport
from thingstead.errors import DecodeError, StateError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, MessageType
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.oscore.protection import protect_request, recall_request, unprotect_response

__all__ = ["MAX_STATE", "StatelessClient"]

MAX_STATE = 1024
"""Bytes of state in one token; a message with it is to fit into a datagram all the same (RFC 8974 §2.1)."""

_LONGEST_TOKEN = 8
_LONGEST_PARTIAL_IV = bytes(5)
_NOT_KEPT = ExchangeId(0)


class StatelessClient:
    """Sends requests that nothing is kept of, to who is known to take long tokens, and recognises their responses.

    What congestion control needs is kept all the same: one such request at a time is on its way to a peer, and the
    next ones wait (RFC 8974 §3.3, RFC 7252 §4.7).

    Attributes:
        support: who takes long tokens.
    """

    __slots__ = ("_associations", "_config", "_gate", "_layer", "_tokens", "support")

    def __init__(
        self,
        config: EndpointConfig,
        *,
        layer: MessageLayer,
        gate: SequenceGate,
        associations: Associations,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._config = config
        self._layer = layer
        self._gate = gate
        self._associations = associations
        self._tokens = StateTokens(random_bytes, lifetime=config.response_timeout, window=config.max_requests)
        self.support = TokenSupport(max_peers=config.max_peers)

    def send(
        self, request: Message, destination: Address, now: float, *, state: bytes, association: Association | None
    ) -> bool:
        """Send a request once, and keep nothing of it; False where something has to be kept, and nothing was sent.

        That is before the peer is known to take such a token, while there is no sequence number, and under an
        association that renews its keys by exchanges of their own.

        Raises:
            StateError: too many messages wait for this peer and others, or the sequence numbers are used up.
            ValueError: a state, or a body, that is too long.
        """
        self._require_short(request, destination, state, is_protected=association is not None)
        size = len(self._state(0, association, _LONGEST_PARTIAL_IV, state)) + STATE_OVERHEAD
        if not self._takes(destination, size, now):
            return False
        if association is not None and not self._is_ready(association):
            return False
        mid = self._layer.mids.allocate(destination)
        message = Message(request.code, MessageType.NON, mid, b"", request.options, request.payload)
        partial_iv = b""
        if association is not None:
            message, binding = protect_request(
                message, context=association.context, with_kid_context=association.with_kid_context
            )
            partial_iv = binding.partial_iv
        token = self._tokens.seal(self._state(mid, association, partial_iv, state), destination, now)
        data = self._layer.encode(message, MessageType.NON, mid, token)
        if self._layer.is_reliable:
            self._layer.outgoing.append((data, destination))
            return True
        wait = len(data) / self._config.transmission.probing_rate
        self._layer.retransmitter.submit(data, destination, mid, owner=_NOT_KEPT, now=now, wait=wait)
        return True

    def trial(self, destination: Address, now: float, *, state: bytes | None, association: Association | None) -> bytes:
        """A token to find out with whether the peer takes one of this length; empty where that is known, or no matter.

        That is without a state.
        """
        if state is None:
            return b""
        whole = self._state(0, association, _LONGEST_PARTIAL_IV, state)
        if self._takes(destination, len(whole) + STATE_OVERHEAD, now) is not None:
            return b""
        return self._tokens.seal(whole, destination, now)

    def receive(self, message: Message, source: Address, now: float) -> ResponseReceived:
        """The response to a request that nothing was kept of.

        Raises:
            StateError: an ordinary token, which is not ours.
            AuthenticationError, ReplayError, ExpiredError: a long one that is not ours, was used, or is old.
            UntrustedError: the association has ended meanwhile, or a plain request has a protected response.
            SecurityError: what is protected does not verify.
        """
        if len(message.token) <= _LONGEST_TOKEN:
            raise StateError("no request has this token", spec="RFC 7252 §5.3.2", reason="unexpected-response")
        mid, name, partial_iv, state = _read(self._tokens.open(message.token, source, now))
        if message.type is MessageType.ACK and message.mid != mid:
            raise StateError("no request has this message ID", spec="RFC 7252 §5.3.2", reason="unexpected-response")
        inner = message
        if name is not None:
            inner = self._unprotect(message, AssociationId(name), partial_iv)
        elif message.option(OptionNumber.OSCORE) is not None:
            raise UntrustedError("expected no OSCORE in the response to a plain request", spec="RFC 8613 §8.4")
        self._tokens.spend(message.token)
        self._layer.retransmitter.acknowledge(source, mid, now)
        self.support.accept(source, len(message.token), now)
        association = None if name is None else AssociationId(name)
        return ResponseReceived(_NOT_KEPT, inner, source, association, None, True, state)

    def _unprotect(self, message: Message, name: AssociationId, partial_iv: bytes) -> Message:
        association = self._associations.find(name)
        if association is None:
            raise UntrustedError("the association was ended", reason="ended")
        return unprotect_response(message, binding=recall_request(association.context, partial_iv))

    def _is_ready(self, association: Association) -> bool:
        """Whether there is a number, and no response may be the one that new keys come with (RFC 8613 appendix B.2)."""
        sequence = association.context.sender.sequence
        return association.parameters is None and self._gate.is_open(association.id, sequence)

    def _takes(self, destination: Address, size: int, now: float) -> bool | None:
        told = self._layer.max_token(destination)
        return self.support.takes(destination, size, now) if told is None else size <= told

    def _require_short(self, request: Message, destination: Address, state: bytes, *, is_protected: bool) -> None:
        whole = self._layer.pieces(destination, is_protected=is_protected).whole
        if len(request.payload) > whole:
            raise ValueError(f"a request that nothing is kept of has a body of at most {whole} bytes")
        if len(state) > MAX_STATE:
            raise ValueError(f"expected at most {MAX_STATE} bytes of state, got {len(state)}")
        if request.option(OptionNumber.OBSERVE) is not None:
            raise ValueError("an observation is kept (RFC 8974 §4.1)")

    @staticmethod
    def _state(mid: int, association: Association | None, partial_iv: bytes, state: bytes) -> bytes:
        return codec.encode([mid, None if association is None else association.id, partial_iv, state])


def _read(opened: bytes) -> tuple[int, str | None, bytes, bytes]:
    """What we wrote; that it is ours has been verified."""
    match codec.decode(opened):
        case [int(mid), None | str() as name, bytes(partial_iv), bytes(state)]:
            return mid, name, partial_iv, state
        case _:
            raise DecodeError("expected serialised state", spec="RFC 8974 §3.1")
