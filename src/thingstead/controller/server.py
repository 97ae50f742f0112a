"""The domain's CoAP server and client as one core: events in, answers out, deferred work bounded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Hashable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from thingstead.clock import Clock
from thingstead.domain.ports import Association
from thingstead.endpoint.association import Association as LiveAssociation
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import (
    Address,
    AssociationId,
    ExchangeEnded,
    ExchangeFailed,
    ExchangeId,
    GroupId,
    RenewalNeeded,
    RequestReceived,
    ResponseReceived,
    SequenceNeeded,
)
from thingstead.endpoint.resource import Call, Handler, Resources
from thingstead.errors import ThingsteadError, TransportError
from thingstead.identifier import ThingId
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.replay import ReplayWindow

__all__ = ["DomainServer"]

_LOGGER = logging.getLogger(__name__)
_MAX_UNDER_WAY = 256
_JOIN_AGAIN = Message(Code.UNAUTHORIZED)
"""Under the association's own keys it makes a thing join anew, which gives both sides new ones (R-25)."""


class DomainServer:
    """Gives the endpoint's events a meaning; driven by a `Pump`, and the planes' way to live associations.

    It is the port `SecurityAssociations`: an association has its thing's id as its own.

    Args:
        endpoint: the secured CoAP stack.
        resources: what is served, behind the access decision.
        clock: both times.
        tasks: where deferred work runs; it ends with the controller.
        reserve: makes spent sequence numbers durable (RFC 8613 appendix B.1.1).
    """

    def __init__(
        self,
        endpoint: Endpoint,
        resources: Resources,
        *,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        reserve: Callable[[AssociationId | GroupId, int], Awaitable[None]],
    ) -> None:
        self._endpoint = endpoint
        self.resources = resources
        self._clock = clock
        self._tasks = tasks
        self._reserve = reserve
        self._asked: dict[ExchangeId, asyncio.Queue[ResponseReceived | ThingsteadError | None]] = {}
        self._last_acceptance: dict[AssociationId, float] = {}
        self._worn: set[AssociationId | GroupId | None] = set()
        self._under_way = 0
        self._listeners: list[tuple[Address | None, list[bytes]]] = []
        self._running: set[asyncio.Task[None]] = set()
        self.flush: Callable[[], None] = lambda: None
        self.on_first_heard: Callable[[ThingId], None] = lambda _thing: None

    # --- the core that a pump drives

    @property
    def receive_datagram(self) -> Callable[..., None]:
        """Takes one datagram."""
        return self._endpoint.receive_datagram

    @property
    def is_known(self) -> Callable[[Hashable], bool]:
        """Whether a thing with an association was seen to receive at an address."""
        return self._endpoint.is_known

    def known_sources(self) -> list[Address]:
        """Where things with an association were seen to receive."""
        return self._endpoint.known_sources()

    def run(self, now: float) -> None:
        """Answer what came."""
        next_event = self._endpoint.next_event
        while (event := next_event()) is not None:
            match event:
                case RequestReceived():
                    if event.association is not None:
                        if event.association not in self._last_acceptance:
                            self.on_first_heard(ThingId(event.association))
                        self._last_acceptance[event.association] = now
                    is_worn = event.association in self._worn
                    answer = _JOIN_AGAIN if is_worn else self.resources.answer(event, now)
                    if answer is not None:
                        self._endpoint.send_response(event.exchange, answer, now)
                case ResponseReceived():
                    self._hand_over(event.exchange, event)
                case ExchangeFailed():
                    self._hand_over(event.exchange, event.error)
                case ExchangeEnded():
                    self._hand_over(event.exchange, None)
                case RenewalNeeded():
                    self._worn.add(event.association)
                case SequenceNeeded():
                    self._begin(self._reserve_and_go_on(event.association, event.upto))

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """What may leave now."""
        outgoing = self._endpoint.datagrams_to_send(now)
        for address, sent in self._listeners:
            sent += [data for data, destination in outgoing if destination == address]
        return outgoing

    def next_deadline(self) -> float | None:
        """When `run` is wanted again."""
        return self._endpoint.next_deadline()

    @property
    def counters(self) -> dict[str, int]:
        """Messages refused, repeated or not understood, by reason."""
        return dict(self._endpoint.counters)

    # --- deferred handlers

    def deferred(self, work: Callable[[Call], Awaitable[Message]]) -> Handler:
        """A handler that answers when `work` is done; over the bound it refuses at once (5.03)."""

        def begin(call: Call) -> Message | None:
            if self._under_way >= _MAX_UNDER_WAY:
                raise TransportError("too many requests under way", reason="busy")
            self._under_way += 1
            self._begin(self._finish(work, call))
            return None

        return begin

    async def settle(self, within: float) -> None:
        """Let what is under way end, and cancel what has not after so many seconds: nobody was told that it is done."""
        running = tuple(self._running)
        if running:
            _, late = await asyncio.wait(running, timeout=within)
            for task in late:
                task.cancel()

    def challenge(self, call: Call) -> None:
        """Have the request come again with an Echo value: fresh, and from where it says (RFC 9175 §2.3)."""
        self._endpoint.challenge(call.event.exchange, self._clock.now())

    def notify(self, exchange: ExchangeId, message: Message) -> None:
        """Tell an observer how it stands now; one that is gone takes no notice, which is no error."""
        self._endpoint.send_response(exchange, message, self._clock.now())
        self.flush()

    def vouch(self, call: Call) -> None:
        """Answer at any length: the request's source was seen to receive what is sent to it."""
        self._endpoint.vouch(call.event.exchange)

    def locate(self, recipient_id: bytes, source: Address) -> None:
        """The peer of a handshake was seen to receive at `source`, so its association begins there."""
        self._endpoint.locate(recipient_id, source)

    # --- SecurityAssociations

    def install(self, association: Association) -> None:
        """Make an association live; the address follows the newest verified request."""
        context = SecurityContext.derive(
            association.master_secret,
            master_salt=association.master_salt,
            sender_id=association.sender_id,
            recipient_id=association.recipient_id,
            id_context=association.id_context,
            aead_id=association.aead,
            digest_id=association.hkdf,
            sequence=SequenceNumbers(association.sequence, reserved=association.sequence),
            window=ReplayWindow(valid=association.fresh),
        )
        live = LiveAssociation(AssociationId(association.thing), context, peer=association.thing)
        self._endpoint.install(live)
        self._worn.discard(live.id)

    def end(self, thing: ThingId) -> int:
        """Drop the association and everything that hangs on it."""
        was_live = self.is_live(thing)
        self._endpoint.end(AssociationId(thing))
        return int(was_live)

    def sequence_reserved(self, thing: ThingId, upto: int) -> None:
        """Allow sender sequence numbers below `upto`."""
        self._endpoint.sequence_reserved(AssociationId(thing), upto)
        self.flush()

    def is_live(self, thing: ThingId) -> bool:
        """Whether a message under the thing's association would be accepted now."""
        return self._endpoint.association(AssociationId(thing)) is not None

    def receives_at(self, thing: ThingId, source: Address) -> bool:
        """Whether it is there that the thing was last seen to receive what is sent to it."""
        live = self._endpoint.association(AssociationId(thing))
        return live is not None and live.address == source

    def address_of(self, thing: ThingId) -> Address | None:
        """Where the thing was last heard, by datagrams; None where it has no live association."""
        live = self._endpoint.association(AssociationId(thing))
        return None if live is None else live.address

    def last_acceptance(self, thing: ThingId) -> datetime | None:
        """When a request of the thing last verified; None if none did since start."""
        at = self._last_acceptance.get(AssociationId(thing))
        return None if at is None else self._clock.utc() - timedelta(seconds=self._clock.now() - at)

    # --- the domain as client

    async def request(self, thing: ThingId, request: Message, *, within: float = 30.0) -> Message:
        """Ask a thing, under its association, where it was last heard from.

        Raises:
            TransportError: it has no live association, or did not answer in time.
        """
        return await self.ask(None, request, association=AssociationId(thing), within=within)

    async def ask(
        self,
        address: Address | None,
        message: Message,
        *,
        association: AssociationId | None = None,
        within: float = 30.0,
    ) -> Message:
        """Ask whoever is at an address, in clear or under an association; None is where that was last heard from.

        Raises:
            TransportError: no answer in time.
            SecurityError: what came was not the peer's, or the peer does not know the association any more.
            StateError: no such association.
        """
        exchange = self._endpoint.send_request(message, address, self._clock.now(), association=association)
        async with aclosing(self._responses(exchange, within)) as responses:
            async for response in responses:
                return response.message
        raise TransportError(f"{association or address} did not answer", reason="timeout")

    async def overheard(self, thing: ThingId, request: Message, *, within: float) -> tuple[bytes, ...]:
        """Ask a thing, and return the datagrams that went to it meanwhile, as whoever listens there has them.

        Raises:
            ThingsteadError: as for `request`.
        """
        address = self.address_of(thing)
        sent: list[bytes] = []
        self._listeners.append((address, sent))
        try:
            await self.request(thing, request, within=within)
        finally:
            self._listeners.remove((address, sent))
        return tuple(sent)

    def meet(self, association: LiveAssociation) -> None:
        """Make an association live that is not with a thing, and dies with this program."""
        self._endpoint.install(association)
        self._worn.discard(association.id)

    async def command(
        self, group: GroupId, request: Message, destination: Address, *, expected: int, within: float = 3.0
    ) -> dict[bytes, Message]:
        """Send one message to a group, and collect members' responses by kid: `expected` of them, or `within` seconds.

        Raises:
            StateError: we are in no such group.
            UntrustedError: the group was rekeyed meanwhile, and what was out under the old keys is void.
        """
        exchange = self._endpoint.send_request(request, destination, self._clock.now(), group=group, confirmable=False)
        responses: dict[bytes, Message] = {}
        try:
            async with aclosing(self._responses(exchange, within)) as received:
                async for response in received:
                    if response.member is not None:
                        responses[response.member] = response.message
                    if len(responses) >= expected:
                        break
        except TransportError as error:
            _LOGGER.debug("no more responses from %s: %s", group, error)
        return responses

    # --- within

    async def _responses(self, exchange: ExchangeId, within: float) -> AsyncGenerator[ResponseReceived]:
        queue: asyncio.Queue[ResponseReceived | ThingsteadError | None] = asyncio.Queue()
        self._asked[exchange] = queue
        self.flush()
        try:
            async with asyncio.timeout(within):
                while (event := await queue.get()) is not None:
                    if isinstance(event, ThingsteadError):
                        raise event
                    yield event
                    if event.is_last:
                        return
        except TimeoutError:
            raise TransportError("no response in time", reason="timeout") from None
        finally:
            del self._asked[exchange]
            self._endpoint.cancel(exchange, self._clock.now())

    def _hand_over(self, exchange: ExchangeId, event: ResponseReceived | ThingsteadError | None) -> None:
        queue = self._asked.get(exchange)
        if queue is not None:
            queue.put_nowait(event)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _finish(self, work: Callable[[Call], Awaitable[Message]], call: Call) -> None:
        try:
            answer = await work(call)
        except ThingsteadError as error:
            answer = self.resources.refuse(call.event, call.peer, error)
        except Exception:
            # A fault of ours that one request brought out must not take the domain from everybody else.
            _LOGGER.exception("a request of %s failed", call.peer or call.event.source)
            answer = Message(Code.INTERNAL_SERVER_ERROR)
        finally:
            self._under_way -= 1
        self._endpoint.send_response(call.event.exchange, answer, self._clock.now())
        self.flush()

    async def _reserve_and_go_on(self, owner: AssociationId | GroupId, upto: int) -> None:
        try:
            await self._reserve(owner, upto)
        except ThingsteadError:
            # Without the reservation the context cannot send, which is what must happen: no number twice.
            _LOGGER.exception("cannot reserve sequence numbers for %s", owner)
