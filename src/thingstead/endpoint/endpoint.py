"""One endpoint, client and server on one socket: datagrams and `now` in, events and datagrams out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from itertools import count
from typing import cast

from thingstead.endpoint.acknowledgement import Acknowledgements
from thingstead.endpoint.association import Association, Associations, Group, SequenceGate
from thingstead.endpoint.client import Client
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.counter import Counters
from thingstead.endpoint.event import Address, AssociationId, Event, ExchangeId, GroupId, RequestReceived
from thingstead.endpoint.exchange import CombinedExchange
from thingstead.endpoint.group_client import GroupClient
from thingstead.endpoint.message_layer import MessageLayer, reset
from thingstead.endpoint.rederivation import Rederivation
from thingstead.endpoint.responder import Responder
from thingstead.endpoint.server import Server
from thingstead.endpoint.stateless_client import StatelessClient
from thingstead.errors import StateError
from thingstead.protocols.coap.code import is_error, is_request, is_response
from thingstead.protocols.coap.echo import EchoMint
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.token import Tokens
from thingstead.secret import Secret

__all__ = ["Endpoint"]

_ECHO_KEY_SIZE = 32


class Endpoint:
    """CoAP over datagrams, plain and under OSCORE (RFC 7252, RFC 7641, RFC 7959, RFC 8613, RFC 9175).

    It owns no socket and no clock. After `receive_datagram`, `send_request`, `send_response` or when
    `next_deadline` has come, take the events with `next_event` until there is none, then the datagrams. What
    takes no `now` happens at the last moment that the endpoint was told of.

    Args:
        config: bounds and times.
        random_bytes: returns that many fresh random bytes.
        layer: what carries messages; datagrams when it is not given.
        permits: whether a request may still have what an earlier one was answered with: asked before each later
            block of a response, which the application does not see.
        is_verified: whether nobody else can send in this address's name; what is sent there then need not be bounded,
            nor an Echo value come back, as for any other stranger (RFC 9175 §2.4).
    """

    __slots__ = (
        "_acknowledgements",
        "_associations",
        "_client",
        "_counters",
        "_events",
        "_gate",
        "_group_client",
        "_layer",
        "_next_id",
        "_now",
        "_rederivation",
        "_responder",
        "_server",
        "_stateless",
    )

    def __init__(
        self,
        config: EndpointConfig,
        *,
        random_bytes: Callable[[int], bytes],
        layer: MessageLayer | None = None,
        permits: Callable[[RequestReceived], bool] = lambda _event: True,
        is_verified: Callable[[Address], bool] | None = None,
    ) -> None:
        self._now = 0.0
        self._events: deque[Event] = deque()
        self._counters = Counters(max_sources=config.max_counted_sources)
        self._gate = SequenceGate(self._events, stride=config.sequence_stride)
        self._associations = Associations(self._gate, max_awake=config.max_awake)
        self._layer = layer or MessageLayer(config, random_bytes)
        mint = EchoMint(Secret(random_bytes(_ECHO_KEY_SIZE)), lifetime=config.echo_lifetime)
        self._rederivation = Rederivation(self._associations, random_bytes=random_bytes, install=self.install)
        tokens = Tokens(random_bytes)
        self._next_id = next_id = cast("Callable[[], ExchangeId]", count(1).__next__)
        self._responder = Responder(
            config, layer=self._layer, gate=self._gate, mint=mint, events=self._events, counters=self._counters
        )
        self._server = Server(
            config,
            layer=self._layer,
            associations=self._associations,
            rederivation=self._rederivation,
            responder=self._responder,
            mint=mint,
            events=self._events,
            counters=self._counters,
            next_id=next_id,
            permits=permits,
            is_verified=is_verified,
        )
        self._stateless = StatelessClient(
            config, layer=self._layer, gate=self._gate, associations=self._associations, random_bytes=random_bytes
        )
        self._client = Client(
            config,
            layer=self._layer,
            gate=self._gate,
            rederivation=self._rederivation,
            tokens=tokens,
            stateless=self._stateless,
            events=self._events,
            counters=self._counters,
            next_id=next_id,
        )
        self._acknowledgements = Acknowledgements(self._layer, client=self._client, responder=self._responder)
        self._group_client = GroupClient(
            config, layer=self._layer, gate=self._gate, tokens=tokens, events=self._events, counters=self._counters
        )

    @property
    def counters(self) -> dict[str, int]:
        """Messages refused, repeated or not understood, by reason."""
        return self._counters.by_reason

    @property
    def counters_by_source(self) -> dict[object, int]:
        """The same by source, for as many sources as the configuration allows."""
        return self._counters.by_source

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        """Take a datagram from the network; never raises, whatever it holds.

        Args:
            data: the datagram.
            source: where it came from, and where a response would go.
            now: monotonic seconds.
            multicast: it was sent to a multicast address.
        """
        self._now = now
        if len(data) < 4 or data[0] >> 6 != 1:
            self._counters.count("malformed", source)
            return
        code = data[1]
        if is_request(code):
            self._server.receive(data, source, now, is_multicast=multicast)
        elif is_response(code) and not multicast:
            if self._group_client.expects(data):
                self._group_client.receive(data, source)
            elif self._acknowledgements.is_of_response(data, source):
                self._acknowledgements.receive(data, source, now)
            else:
                self._client.receive(data, source, now)
        elif code == 0 and len(data) == 4 and not data[0] & 0x0F and not multicast:
            self._acknowledgements.receive(data, source, now)
        else:
            self._counters.count("code", source)
            if data[0] & 0x30 == 0 and not multicast:
                # A reserved class, or an Empty message that is not empty: rejected, not passed over (RFC 7252 §4.2).
                self._layer.outgoing.append((reset(data), source))

    def next_event(self) -> Event | None:
        """The next thing the adapter should know, or None."""
        return self._events.popleft() if self._events else None

    def send_request(
        self,
        request: Message,
        destination: Address | None,
        now: float,
        *,
        association: AssociationId | None = None,
        group: GroupId | None = None,
        confirmable: bool = True,
        observe: bool = False,
        multicast: bool = False,
        message_3: bytes = b"",
    ) -> ExchangeId:
        """Start a request; `ResponseReceived` or `ExchangeFailed` will name it.

        Args:
            request: without type, message ID and token; its body may be longer than a datagram.
            destination: where to; None for where the association was last seen.
            now: monotonic seconds.
            association: whose context protects it; None sends it unprotected.
            group: whose context protects it; it goes out once, non-confirmable, and every member's response is a
                `ResponseReceived` of its own until `ExchangeEnded`.
            confirmable: repeat it until it is acknowledged.
            observe: register for notifications (RFC 7641).
            multicast: the destination is a multicast address, and the request in clear: it goes out once, and the
                first response of every server is a `ResponseReceived` until `ExchangeEnded` (RFC 7252 §8).
            message_3: of the EDHOC session that the association's keys are from, to go with the first message (RFC 9668
                §3.2).

        Raises:
            ValueError: with message_3 it is too long for one message: message_3 has to go first, by itself.
            StateError: an association or group that is not installed, an association that was never seen, or too
                many requests.
        """
        self._now = now
        if group is not None or multicast:
            return self._send_to_many(request, destination, now, group)
        found = self._installed(association)
        if destination is None:
            destination = None if found is None else found.address
        if destination is None:
            raise StateError("expected a destination: the association has not been seen yet", reason="address")
        name = self._client.send(
            request,
            destination,
            now,
            association=found,
            is_confirmable=confirmable,
            observe=observe,
            message_3=message_3,
        )
        return ExchangeId(name)

    def send_stateless(
        self,
        request: Message,
        destination: Address,
        now: float,
        *,
        state: bytes,
        association: AssociationId | None = None,
    ) -> ExchangeId | None:
        """Send a request once and keep nothing of it: `state` travels, sealed, in its token (RFC 8974 §3).

        One message of response comes as an event with `state`; that none comes, nobody tells. Until the peer is known
        to take long tokens, and for an hour where it does not, the request is kept: then its name is returned.

        Raises:
            StateError: as for `send_request`.
            ValueError: more state than a token holds, or a body longer than a message.
        """
        self._now = now
        found = self._installed(association)
        if self._stateless.send(request, destination, now, state=state, association=found):
            return None
        name = self._client.send(
            request, destination, now, association=found, is_confirmable=True, observe=False, state=state
        )
        return ExchangeId(name)

    def send_response(self, exchange: ExchangeId, response: Message, now: float) -> None:
        """Answer a request, or notify an observer; an exchange that is over takes no response, which is no error.

        A response with an Observe option, of any value, to a request that registers makes it an observation: the
        exchange then takes any number of responses, until one without it, or one with an error code.
        """
        found = self._layer.find(exchange)
        if found is None:
            return
        if type(found) is CombinedExchange and not is_error(response.code):
            self._server.go_on(found, now)
        else:
            self._responder.respond(found, response, now)

    def challenge(self, exchange: ExchangeId, now: float) -> None:
        """Answer 4.01 with an Echo value: the request is to come again, fresh and from where it says (RFC 9175)."""
        found = self._layer.find(exchange)
        if found is not None:
            self._responder.challenge(found, now)

    def vouch(self, exchange: ExchangeId) -> None:
        """Answer at any length: the application knows that what is sent to this request's source arrives there."""
        found = self._layer.find(exchange)
        if found is not None:
            found.allowance = None

    def known_sources(self) -> list[Address]:
        """Every address at which the peer of a live association was seen to receive; the newest last."""
        return self._associations.addresses()

    @property
    def is_known(self) -> Callable[[Hashable], bool]:
        """Whether the peer of a live association was seen to receive at an address: it need not wait for strangers."""
        return self._associations.is_known

    def locate(self, recipient_id: bytes, source: Address) -> None:
        """The application has seen the peer behind `recipient_id` receive at `source`, by a handshake for instance."""
        self._associations.locate(recipient_id, source)

    def cancel(self, exchange: ExchangeId, now: float) -> None:
        """Want no more of a request of ours, or end an observation of a peer without a last word."""
        self._client.cancel(exchange, now)
        self._group_client.cancel(exchange)
        for memory in (self._layer.known, self._layer.strangers):
            found = memory.observing.get(exchange)
            if found is not None:
                self._responder.end(found)

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Do what is due and take the datagrams, in order; call it after events have been answered."""
        self._now = now
        for owner in self._layer.expire(now):
            self._client.on_lost(owner, now)
            self._responder.on_lost(owner)
        self._server.expire(now)
        self._client.expire(now)
        self._group_client.expire(now)
        outgoing = self._layer.outgoing[:]
        self._layer.outgoing.clear()
        return outgoing

    def next_deadline(self) -> float | None:
        """When there is something to do, if nothing else happens before: at once while events or datagrams wait."""
        if self._events or self._layer.outgoing:
            return self._now
        earliest: float | None = None
        for role in (self._layer, self._server, self._client, self._group_client):
            deadline = role.next_deadline()
            if deadline is not None and (earliest is None or deadline < earliest):
                earliest = deadline
        return earliest

    def install(self, association: Association) -> None:
        """Make an association live; one of the same id is ended first. A request that waited for it goes on."""
        self.end(association.id)
        self._associations.install(association)
        context = association.context
        for kid_context in {None, context.kid_context}:
            self._server.release(context.recipient.id, kid_context, self._now, is_known=True)

    def dismiss(self, association: AssociationId, refusal: Message, now: float) -> None:
        """End the observations of an association, each with a last word under its keys (RFC 9200 §5.10.3)."""
        self._now = now
        for exchange in [one for one in self._layer.known.observing.values() if one.association == association]:
            self._responder.end(exchange)
            self._responder.send(exchange, refusal.with_options(), now)

    def end(self, association: AssociationId) -> None:
        """End an association at once: exchanges, observations, waiting messages and stored replies go with it."""
        found = self._associations.find(association)
        if found is None:
            return
        self._associations.end(association)
        self._gate.forget(association)
        self._rederivation.forget(association)
        self._server.forget(association, [association], [found.address])
        self._responder.forget(association)
        self._client.forget(association, self._now)

    def install_group(self, group: Group) -> None:
        """Make an epoch of a group live; the epoch before it is ended first."""
        self.end_group(group.id)
        self._associations.install_group(group)

    def end_group(self, group: GroupId) -> None:
        """End a group at once, as `end` does an association."""
        found = self._associations.find_group(group)
        if found is None:
            return
        self._associations.end_group(group)
        self._gate.forget(group)
        self._server.forget(group, [(group, kid) for kid in found.context.members], [])
        self._responder.forget(group)
        self._group_client.forget(group)

    def association(self, association: AssociationId) -> Association | None:
        """The live association of this id."""
        return self._associations.find(association)

    def context_unknown(self, kid: bytes, kid_context: bytes | None) -> None:
        """Answer to `ContextNeeded`: there is no such context; the request is refused."""
        self._server.release(kid, kid_context, self._now, is_known=False)

    def sequence_reserved(self, association: AssociationId | GroupId, upto: int) -> None:
        """Answer to `SequenceNeeded`: numbers below `upto` are durable; what waited for them goes out."""
        found = self._associations.find(AssociationId(association))
        group = self._associations.find_group(GroupId(association))
        if found is not None:
            found.context.sender.sequence.reserve(upto)
            self._client.resume(found.id, self._now)
        elif group is not None:
            group.context.own.sequence.reserve(upto)
            self._group_client.resume(group.id)
        self._responder.resume(association, self._now)

    def _installed(self, association: AssociationId | None) -> Association | None:
        found = None if association is None else self._associations.find(association)
        if association is not None and found is None:
            raise StateError("expected an installed association", reason="ended")
        return found

    def _send_to_many(
        self, request: Message, destination: Address | None, now: float, group: GroupId | None
    ) -> ExchangeId:
        found = None if group is None else self._associations.find_group(group)
        if destination is None or (group is not None and found is None):
            missing = "address" if group is None else "ended"
            raise StateError("expected a multicast address, and a group that is installed", reason=missing)
        return ExchangeId(self._group_client.send(request, destination, now, group=found, next_id=self._next_id))
