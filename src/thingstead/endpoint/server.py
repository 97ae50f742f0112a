"""The server's way in: a datagram decoded and verified."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from thingstead.endpoint.admission import Admission
from thingstead.endpoint.association import Association, Associations, Group, SequenceOwner
from thingstead.endpoint.combined import part
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.counter import Counters, RateLimit, RateLimits
from thingstead.endpoint.event import Address, ContextNeeded, Event, ExchangeId, RequestReceived
from thingstead.endpoint.exchange import CombinedExchange, ServerExchange
from thingstead.endpoint.gathering import Gathering
from thingstead.endpoint.message_layer import MessageLayer, reset
from thingstead.endpoint.rederivation import Rederivation
from thingstead.endpoint.responder import Responder
from thingstead.errors import (
    DecodeError,
    SecurityError,
    ThingsteadError,
    UntrustedError,
)
from thingstead.protocols.coap.echo import EchoMint
from thingstead.protocols.coap.message import Message, MessageType, decode
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.group_oscore.protection import unprotect_group_request
from thingstead.protocols.oscore.binding import RequestBinding
from thingstead.protocols.oscore.option import OscoreOption, decode_option
from thingstead.protocols.oscore.protection import FreshnessError
from thingstead.protocols.oscore.refusal import refusal

__all__ = ["Server"]

_OSCORE = int(OptionNumber.OSCORE)
_EDHOC = int(OptionNumber.EDHOC)
_CON, _NON = MessageType.CON, MessageType.NON
_REPEATS_PER_SECOND = 1.0
"""Challenges to requests that are not the newest of one peer whose replay window was lost."""


class Server:
    """Takes requests in."""

    __slots__ = (
        "_ack_delay",
        "_admission",
        "_admit",
        "_associations",
        "_challenges",
        "_config",
        "_contexts",
        "_counters",
        "_derivations",
        "_derivations_at_home",
        "_events",
        "_gathering",
        "_held",
        "_is_duplicate",
        "_is_verified",
        "_known",
        "_layer",
        "_lifetime",
        "_limits",
        "_mint",
        "_rederivation",
        "_refusals",
        "_relays",
        "_repeats",
        "_responder",
        "_strangers",
    )

    def __init__(
        self,
        config: EndpointConfig,
        *,
        layer: MessageLayer,
        associations: Associations,
        rederivation: Rederivation,
        responder: Responder,
        mint: EchoMint,
        events: deque[Event],
        counters: Counters,
        next_id: Callable[[], ExchangeId],
        permits: Callable[[RequestReceived], bool],
        is_verified: Callable[[Address], bool] | None,
    ) -> None:
        self._config = config
        self._limits = config.message
        self._relays = config.relays
        self._is_verified = is_verified
        self._ack_delay = config.ack_delay
        self._lifetime = config.transmission.exchange_lifetime
        self._layer = layer
        self._is_duplicate = layer.is_duplicate
        self._known = layer.known
        self._strangers = layer.strangers
        self._associations = associations
        self._rederivation = rederivation
        self._responder = responder
        self._mint = mint
        self._events = events
        self._counters = counters
        self._admission = Admission(
            config,
            layer=layer,
            associations=associations,
            responder=responder,
            mint=mint,
            events=events,
            counters=counters,
            next_id=next_id,
            permits=permits,
        )
        self._admit = self._admission.admit
        self._gathering = Gathering(
            config,
            associations=associations,
            strangers=layer.strangers,
            responder=responder,
            mint=mint,
            counters=counters,
        )
        self._refusals = RateLimit(config.refusals_per_second)
        self._challenges = RateLimit(config.refusals_per_second)
        self._repeats = RateLimits(_REPEATS_PER_SECOND, max_names=config.max_peers)
        self._contexts = RateLimit(config.contexts_per_second)
        self._derivations = RateLimit(config.contexts_per_second)
        self._derivations_at_home = RateLimit(config.contexts_per_second)
        self._held: dict[tuple[bytes, bytes | None], ServerExchange] = {}

    def receive(self, data: bytes, source: Address, now: float, *, is_multicast: bool) -> None:
        """Take a datagram whose code is a request's."""
        name = (source, data)
        if self._is_duplicate(name):
            self._counters.count("duplicate", source)
            return
        try:
            message = decode(data, limits=self._limits)
        except DecodeError as error:
            self._counters.count(error.reason, source)
            if data[0] & 0x30 == 0 and not is_multicast:
                self._layer.outgoing.append((reset(data), source))
            return
        if message.type is not _NON and (message.type is not _CON or is_multicast):
            self._counters.count("message-type", source)
            return
        self.take(ServerExchange(name, message, now, is_multicast), now)

    def take(self, exchange: ServerExchange, now: float) -> None:
        """Verify a request that has been decoded, and have it admitted."""
        message = exchange.message
        if len(message.token) > self._limits.max_token:
            self._refuse_token(exchange, now)
            return
        try:
            oscore = None if self._relays else message.option(_OSCORE)
            if oscore is not None:
                self._verify(exchange, message, oscore, now)
            else:
                exchange.accept(self._strangers, now)
                if self._is_verified is not None and self._is_verified(exchange.source):
                    exchange.allowance = None
                self._admit(exchange, message, self._strangers, now)
        except ThingsteadError as error:
            self._refuse(exchange, error, now)

    def go_on(self, first: CombinedExchange, now: float) -> None:
        """message_3 of a combined request was taken: verify the rest of it (RFC 9668 §3.3.1 step 8)."""
        self._responder.end(first)
        rest = first.rest
        rest.created = now
        rest.is_answered, first.is_answered = first.is_answered, True
        self.take(rest, now)

    def expire(self, now: float) -> None:
        """Acknowledge what the application takes its time over; drop what it never answered."""
        waiting = self._admission.unacknowledged
        since = now - self._ack_delay
        while waiting and (waiting[0].is_answered or waiting[0].created <= since):
            exchange = waiting.popleft()
            if not exchange.is_answered:
                self._responder.acknowledge(exchange)
        oldest = now - self._lifetime
        for memory in (self._known, self._strangers):
            while memory.open:
                exchange = next(iter(memory.open.values()))
                if exchange.created > oldest:
                    break
                self._responder.end(exchange)
        while self._held:
            name, held = next(iter(self._held.items()))
            if held.created > oldest:
                break
            del self._held[name]

    def next_deadline(self) -> float | None:
        """When `expire` has something to do."""
        waiting = self._admission.unacknowledged
        while waiting and waiting[0].is_answered:
            waiting.popleft()
        return waiting[0].created + self._ack_delay if waiting else None

    def release(self, kid: bytes, kid_context: bytes | None, now: float, *, is_known: bool) -> None:
        """The adapter has answered a `ContextNeeded`: the request that waited goes on, or is refused."""
        held = self._held.pop((kid, kid_context), None)
        if held is None:
            return
        if is_known:
            held.created = now
            self.take(held, now)
        else:
            self._refuse(held, UntrustedError("no security context has this kid", spec="RFC 8613 §8.2"), now)

    def disconnect(self, source: Address) -> None:
        """Nothing can be sent to `source` any more: what it asked, observes and uploads is over."""
        for memory in (self._known, self._strangers):
            for exchange in [this for this in memory.open.values() if this.source == source]:
                self._responder.end(exchange)
            for exchange in [this for this in memory.observing.values() if this.source == source]:
                self._responder.end_observation(memory, exchange.exchange)
        self._strangers.uploads.forget(source)
        self._strangers.representations.forget(source)

    def forget(self, name: SequenceOwner, peers: Iterable[Hashable], addresses: Iterable[Address | None]) -> None:
        """An association or group is gone: so are its exchanges, observations, bodies and stored replies."""
        known = self._known
        for exchanges in (known.open, known.observing):
            for exchange in [this for this in exchanges.values() if name in {this.association, this.group}]:
                self._responder.end(exchange)
                known.duplicates.forget(exchange.source)
        for peer in peers:
            known.uploads.forget(peer)
            known.representations.forget(peer)
        for address in addresses:
            known.duplicates.forget(address)

    def _verify(self, exchange: ServerExchange, message: Message, oscore: bytes, now: float) -> None:
        option = decode_option(oscore)
        if len(message.options) > 1:
            whole = self._gathering.gather(exchange, message, option, now)
            if whole is None or self._begins_with_message_3(exchange, whole, now):
                return
            message = whole
        if not message.payload:
            raise DecodeError("expected a payload with the OSCORE option", spec="RFC 8613 §2")
        if option.kid_context is not None or option.group:
            group = self._associations.group_of(option)
            if group is not None:
                self._verify_group(exchange, message, option, group, now)
                return
        try:
            inner, binding, association = self._associations.unprotect(message, option, exchange.source, now)
        except UntrustedError as error:
            found = self._look_for_context(exchange, message, option, error, now)
            if found is None:
                return
            association, inner, binding = found
            exchange.enter(association, binding)
        except FreshnessError as error:
            association = self._associations.owner(error.binding)
            exchange.enter(association, error.binding)
            exchange.takes_sequence = True
            if not self._is_recovered(exchange, error, now):
                return
            inner = error.request
        else:
            exchange.enter(association, binding)
        exchange.accept(self._known, now)
        self._admit(exchange, inner, self._known, now)

    def _look_for_context(
        self, exchange: ServerExchange, message: Message, option: OscoreOption, error: UntrustedError, now: float
    ) -> tuple[Association, Message, RequestBinding] | None:
        """What a request is under whose context is not installed; None where it was answered, or waits.

        Raises:
            UntrustedError: `error`; there is none to be had.
        """
        if error.reason != "context":
            raise error
        found = self._derive(exchange, message, option, now)
        if found is None and not exchange.is_answered and not self._hold(exchange, message, option, now):
            raise error
        return found

    def _begins_with_message_3(self, exchange: ServerExchange, message: Message, now: float) -> bool:
        """Hand message_3 to the resource that takes it, as if it had come by itself; the rest waits (RFC 9668 §3.3.1).

        Of all this nothing is verified yet, so it is a stranger's request, within the bounds of those.
        """
        if not self._config.edhoc_path or exchange.is_multicast or message.option(_EDHOC) is None:
            return False
        try:
            message_3, exchange.message = part(message, path=self._config.edhoc_path)
        except DecodeError as error:
            self._refuse(exchange, error, now, Message(Code.BAD_REQUEST))
            return True
        exchange.accept(self._strangers, now)
        self._admit(CombinedExchange(exchange, message_3, now), message_3, self._strangers, now)
        return True

    def _derive(
        self, exchange: ServerExchange, message: Message, option: OscoreOption, now: float
    ) -> tuple[Association, Message, RequestBinding] | None:
        """Take part in the exchange for new keys (RFC 8613 appendix B.2): a request under them, or our answer."""
        if option.kid_context is None or exchange.is_multicast or not self._associations.renewable(option.kid):
            return None
        # Who asks from where the peer is known to be waits for no stranger's guesses.
        is_at_home = self._associations.is_at(option.kid, exchange.source)
        if not (self._derivations_at_home if is_at_home else self._derivations).allow(now):
            self._counters.count("overload", exchange.source)
            return None
        found = self._rederivation.receive(message, option, exchange.source)
        if not isinstance(found, Message):
            return found
        exchange.accept(self._strangers, now)
        self._responder.send(exchange, found, now)
        return None

    def _verify_group(
        self, exchange: ServerExchange, message: Message, option: OscoreOption, group: Group, now: float
    ) -> None:
        """Verify a request of a group, in either mode (RFC 10021 §6.2, §7.4)."""
        try:
            inner, binding = unprotect_group_request(message, context=group.context, option=option)
        except FreshnessError as error:
            exchange.enter_group(group, error.binding)
            exchange.takes_sequence = True
            if not self._is_recovered(exchange, error, now):
                return
            inner = error.request
        else:
            exchange.enter_group(group, binding)
        exchange.accept(self._known, now)
        self._admit(exchange, inner, self._known, now)

    def _is_recovered(self, exchange: ServerExchange, error: FreshnessError[Any], now: float) -> bool:
        """Whether the request returns our Echo value; if not it is asked to (RFC 8613 appendix B.1.2)."""
        value = error.request.option(OptionNumber.ECHO)
        if value is not None:
            try:
                self._mint.verify(value, exchange.echo_name(), now)
            except SecurityError as refused:
                self._counters.count(f"echo-{refused.reason}", exchange.source)
            else:
                error.recover()
                return True
        self._counters.count(error.reason, exchange.source)
        # Each takes a sequence number, and a key has so many: who replays one request is not to have them all. To each
        # peer its own: its oldest request may be the one that it repeats, whatever is replayed in the name of others.
        if (error.is_newest or self._repeats.allow(exchange.peer, now)) and self._challenges.allow(now):
            exchange.accept(self._known, now)
            self._responder.challenge(exchange, now)
        return False

    def _hold(self, exchange: ServerExchange, message: Message, option: OscoreOption, now: float) -> bool:
        """Keep a request while the adapter looks for its context; not when many wait, or many have been asked for."""
        if not self._config.lazy_contexts or option.kid is None or exchange.is_multicast:
            return False
        name = (option.kid, option.kid_context)
        if name in self._held:
            return True
        if len(self._held) >= self._config.max_held or not self._contexts.allow(now):
            return False
        # With outer options or pieces of it, `message` is what they were taken from already.
        exchange.message = message
        self._held[name] = exchange
        self._events.append(ContextNeeded(option.kid, option.kid_context, exchange.source))
        return True

    def _refuse_token(self, exchange: ServerExchange, now: float) -> None:
        """A RST would say that we know no long tokens at all (RFC 8974 §2.2.2)."""
        self._counters.count("token", exchange.source)
        if not exchange.is_multicast and self._refusals.allow(now):
            self._responder.send(exchange, Message(Code.BAD_REQUEST), now)

    def _refuse(
        self, exchange: ServerExchange, error: ThingsteadError, now: float, said: Message | None = None
    ) -> None:
        """Say unprotected why a request was not accepted: seldom, little, never to a group (RFC 8613 §8.2)."""
        self._counters.count(error.reason, exchange.source)
        if exchange.is_multicast or not self._refusals.allow(now):
            return
        exchange.as_stranger()
        self._responder.send(exchange, said or refusal(error), now)
