"""Requests of ours that wait: found by id and by token, and given up in time."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator

from thingstead.endpoint.client_exchange import ClientExchange
from thingstead.endpoint.event import Address
from thingstead.errors import StateError
from thingstead.protocols.coap.message import Message, MessageType
from thingstead.protocols.coap.registry import OptionNumber

__all__ = ["Outstanding"]


class Outstanding:
    """The table of client exchanges; iterating gives those that are there now, whatever becomes of them."""

    __slots__ = ("_by_id", "_by_token", "_deadlines", "_operations")

    def __init__(self) -> None:
        self._by_id: dict[int, ClientExchange] = {}
        self._by_token: dict[bytes, ClientExchange] = {}
        self._deadlines: list[tuple[float, int]] = []
        self._operations: Counter[object] = Counter()

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[ClientExchange]:
        return iter(list(self._by_id.values()))

    def add(self, exchange: ClientExchange) -> None:
        """Take one in; it has no token yet. Where a body is all that tells it from another, it gets a Request-Tag."""
        self._by_id[exchange.id] = exchange
        if exchange.operation is not None:
            if exchange.operation in self._operations:
                exchange.keep_apart()
            self._operations[exchange.operation] += 1

    def find(self, exchange_id: int) -> ClientExchange | None:
        """The one of this id."""
        return self._by_id.get(exchange_id)

    def knows(self, token: bytes) -> bool:
        """Whether one of them went out under this token."""
        return token in self._by_token

    def answered_by(self, message: Message, source: Address) -> ClientExchange:
        """The one that a message names by its token, if it may speak to it (RFC 7252 §5.3.2).

        Raises:
            StateError: there is none.
        """
        exchange = self._by_token.get(message.token)
        # Whoever moved meanwhile may speak from its new address, because OSCORE says who speaks.
        is_from_there = exchange is not None and (
            source == exchange.destination
            or (exchange.association is not None and message.option(OptionNumber.OSCORE) is not None)
        )
        if exchange is None or not is_from_there or message.type is MessageType.RST:
            raise StateError("no request has this token", spec="RFC 7252 §5.3.2", reason="unexpected-response")
        if message.type is MessageType.ACK and message.mid != exchange.mid:
            raise StateError("no request has this message ID", spec="RFC 7252 §5.3.2", reason="unexpected-response")
        return exchange

    def awaited(self) -> set[Address]:
        """Of whom something is expected now, other than a notification."""
        return {exchange.destination for exchange in self if not exchange.is_resting}

    def name(self, exchange: ClientExchange, token: bytes) -> None:
        """Its next message goes out under `token`; an observation keeps the one that it was registered under."""
        if exchange.token != exchange.observe_token:
            self._by_token.pop(exchange.token, None)
        exchange.token = token
        if exchange.is_registration():
            self._by_token.pop(exchange.observe_token, None)
            exchange.observe_token = token
        self._by_token[token] = exchange

    def remove(self, exchange: ClientExchange) -> None:
        """It is over."""
        del self._by_id[exchange.id]
        if exchange.operation is not None:
            self._operations[exchange.operation] -= 1
            if not self._operations[exchange.operation]:
                del self._operations[exchange.operation]
        self._by_token.pop(exchange.token, None)
        self._by_token.pop(exchange.observe_token, None)

    def wait(self, exchange: ClientExchange, until: float) -> None:
        """Give it up at `until`, unless its deadline is another by then."""
        exchange.deadline = until
        heapq.heappush(self._deadlines, (until, exchange.id))

    def overdue(self, now: float) -> Iterator[ClientExchange]:
        """Those whose time is up, each once."""
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            _, name = heapq.heappop(self._deadlines)
            yield self._by_id[name]

    def next_deadline(self) -> float | None:
        """When the next one's time is up."""
        while self._deadlines:
            deadline, name = self._deadlines[0]
            exchange = self._by_id.get(name)
            if exchange is not None and exchange.deadline == deadline:
                return deadline
            heapq.heappop(self._deadlines)
        return None
