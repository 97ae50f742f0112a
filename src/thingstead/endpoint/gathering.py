"""OSCORE messages that come in pieces outside of their protection, as a proxy may send them (RFC 8613 §4.1.3.4.2)."""

from __future__ import annotations

from thingstead.endpoint.admission import answer_to
from thingstead.endpoint.association import Associations
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.counter import Counters
from thingstead.endpoint.exchange import ServerExchange
from thingstead.endpoint.fragment import Fragments
from thingstead.endpoint.memory import Memory
from thingstead.endpoint.responder import Responder
from thingstead.errors import DecodeError, ProtocolError, SecurityError
from thingstead.protocols.coap.echo import EchoMint
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import recognised
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.oscore.option import OscoreOption
from thingstead.protocols.oscore.plaintext import outer_options

__all__ = ["Gathering"]


class Gathering:
    """Puts requests together before they are verified, within the bounds of strangers."""

    __slots__ = ("_associations", "_counters", "_fragments", "_mint", "_responder", "_strangers")

    def __init__(
        self,
        config: EndpointConfig,
        *,
        associations: Associations,
        strangers: Memory[ServerExchange],
        responder: Responder,
        mint: EchoMint,
        counters: Counters,
    ) -> None:
        self._fragments = Fragments(config.fragments, szx=config.block_szx)
        self._associations = associations
        self._strangers = strangers
        self._responder = responder
        self._mint = mint
        self._counters = counters

    def gather(self, exchange: ServerExchange, message: Message, option: OscoreOption, now: float) -> Message | None:
        """The whole OSCORE message with its outer options; None while pieces of it are missing, or were asked for.

        Pieces are taken only from where the peer that they name was seen to receive, or from whoever brings an
        outer Echo value back: nothing is held for others (R-49).

        Raises:
            DecodeError: a piece that came by multicast.
        """
        message.options = recognised(outer_options(message.options))
        if message.option(OptionNumber.BLOCK1) is None and message.option(OptionNumber.BLOCK2) is None:
            return message
        if exchange.is_multicast:
            raise DecodeError("expected no piece of a message by multicast", spec="RFC 7959 §2.8")
        if not self._may_send_pieces(exchange, message, option, now):
            exchange.accept(self._strangers, now)
            self._responder.challenge(exchange, now)
            return None
        try:
            gathered, exchange.hop = self._fragments.receive(message, exchange.source, now)
        except ProtocolError as error:
            self._counters.count(error.reason, exchange.source)
            gathered = answer_to(error, None)
        if exchange.hop is not None:
            return gathered
        exchange.accept(self._strangers, now)
        exchange.allowance = None
        self._responder.send(exchange, gathered, now)
        return None

    def _may_send_pieces(self, exchange: ServerExchange, message: Message, option: OscoreOption, now: float) -> bool:
        value = message.option(OptionNumber.ECHO)
        if value is None:
            return self._associations.is_at(option.kid, exchange.source)
        try:
            self._mint.verify(value, exchange.echo_name(), now)
        except SecurityError as error:
            self._counters.count(f"echo-{error.reason}", exchange.source)
            return False
        return True
