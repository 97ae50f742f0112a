"""What a thing does over time, written top to bottom: a story yields what it waits for and is resumed with it."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import count
from typing import Any

from thingstead.endpoint.derivation import context_of
from thingstead.endpoint.event import Address, AssociationId, ExchangeId
from thingstead.errors import ThingsteadError, TransportError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers

__all__ = ["Place", "Request", "Session", "Stories", "Story", "Wait"]

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Another thing: where it is, and under which association it is asked; None in clear."""

    address: Address
    association: AssociationId | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A handshake of which the domain lacks message_3 (RFC 9668 §3).

    Attributes:
        message_3: what it lacks.
        oscore: what the handshake leads to on both sides.
    """

    message_3: bytes
    oscore: OscoreParameters

    def context(self, numbers: int) -> SecurityContext:
        """A fresh context with so many sequence numbers, of which none is on disk: a crash ends it."""
        return context_of(self.oscore, sequence=SequenceNumbers(reserved=numbers))


@dataclass(frozen=True, slots=True)
class Request:
    """Send `message` and wait for its response; the story gets the `Message`, or a `TransportError` thrown in.

    Attributes:
        message: request without token and message ID.
        protected: under the association with the domain, else in clear.
        to: another thing, which it goes to instead of the domain.
        timeout: seconds after which the story goes on with a `TransportError`.
        on_notification: what observing brings after the first response (RFC 7641); None does not observe. When it
            ends, the story goes on from where it waits; when the story asks so again, the observation before is over.
        session: protects it instead, and its message_3 goes with it.
    """

    message: Message
    protected: bool = True
    to: Place | None = None
    timeout: float = 30.0
    on_notification: Callable[[Message], None] | None = None
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on after `seconds`, or at once when `Stories.wake(name)` is called."""

    seconds: float
    name: str = ""


Story = Generator[Request | Wait, Any, Any]


@dataclass(slots=True)
class _Running:
    story: Story
    name: str
    exchange: ExchangeId | None = None
    ticket: int = 0
    waits_for: str = ""
    observation: ExchangeId | None = None


class Stories:
    """Runs the stories of one thing: no task, no thread, no clock; `now` comes in and requests go out.

    Args:
        send: sends a request and names the exchange; raises `TransportError` or `StateError` if it cannot.
        cancel: forgets an exchange.
    """

    def __init__(
        self, send: Callable[[Request, float], ExchangeId], cancel: Callable[[ExchangeId, float], None]
    ) -> None:
        self._send = send
        self._cancel = cancel
        self._by_exchange: dict[ExchangeId, _Running] = {}
        self._observations: dict[ExchangeId, tuple[_Running, Callable[[Message], None]]] = {}
        self._timers: list[tuple[float, int, _Running]] = []
        self._tickets = count(1)
        self._running: list[_Running] = []

    def start(self, name: str, story: Story, now: float) -> None:
        """Begin a story; it runs to its first wait before this returns."""
        running = _Running(story, name)
        self._running.append(running)
        self._resume(running, None, None, now)

    def stop_all(self, now: float) -> None:
        """End every story where it stands; its `finally` clauses run."""
        stopping, self._running = self._running, []
        for running in stopping:
            self._forget_exchange(running, now)
            self._end_observation(running, now)
            running.ticket = 0
            running.story.close()
        self._timers.clear()

    def wake(self, name: str, now: float) -> None:
        """Let every story that waits under `name` go on now."""
        for running in [one for one in self._running if one.waits_for == name]:
            self._resume(running, None, None, now)

    def on_response(self, exchange: ExchangeId, message: Message, now: float) -> None:
        """A response to an exchange that a story waits for, or observes by; others are ignored."""
        running = self._by_exchange.pop(exchange, None)
        if running is not None:
            running.exchange = None
            self._resume(running, message, None, now)
        elif exchange in self._observations:
            self._observations[exchange][1](message)

    def on_failure(self, exchange: ExchangeId, error: ThingsteadError, now: float) -> None:
        """An exchange that failed; the error is thrown into its story."""
        running = self._by_exchange.pop(exchange, None)
        if running is not None:
            running.exchange = None
            self._resume(running, None, error, now)
        elif exchange in self._observations:
            running, _ = self._observations.pop(exchange)
            running.observation = None
            if running.exchange is None:
                self._resume(running, None, None, now)

    def run(self, now: float) -> None:
        """Resume what is due."""
        while self._timers and self._timers[0][0] <= now:
            _, ticket, running = heapq.heappop(self._timers)
            if running.ticket != ticket:
                continue
            if running.exchange is None:
                self._resume(running, None, None, now)
            else:
                self._forget_exchange(running, now)
                self._resume(running, None, TransportError("no response in time", reason="timeout"), now)

    def next_deadline(self) -> float | None:
        """When `run` is wanted again."""
        while self._timers and self._timers[0][2].ticket != self._timers[0][1]:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _resume(self, running: _Running, value: Any, error: ThingsteadError | None, now: float) -> None:
        running.ticket = 0
        running.waits_for = ""
        while True:
            try:
                effect = running.story.throw(error) if error is not None else running.story.send(value)
            except StopIteration:
                self._end(running)
                return
            except ThingsteadError as fault:
                _LOGGER.warning("%s ended: %s", running.name, fault)
                self._end(running)
                return
            value, error = None, None
            if isinstance(effect, Wait):
                running.waits_for = effect.name
                self._arm(running, now + effect.seconds)
                return
            try:
                running.exchange = self._send(effect, now)
            except ThingsteadError as fault:
                error = fault
                continue
            if effect.on_notification is not None:
                self._end_observation(running, now)
                running.observation = running.exchange
                self._observations[running.exchange] = (running, effect.on_notification)
            self._by_exchange[running.exchange] = running
            self._arm(running, now + effect.timeout)
            return

    def _arm(self, running: _Running, at: float) -> None:
        running.ticket = next(self._tickets)
        heapq.heappush(self._timers, (at, running.ticket, running))

    def _end(self, running: _Running) -> None:
        if running in self._running:
            self._running.remove(running)

    def _end_observation(self, running: _Running, now: float) -> None:
        if running.observation is not None:
            self._observations.pop(running.observation, None)
            self._cancel(running.observation, now)
            running.observation = None

    def _forget_exchange(self, running: _Running, now: float) -> None:
        if running.exchange is not None:
            self._by_exchange.pop(running.exchange, None)
            self._cancel(running.exchange, now)
            running.exchange = None
