"""A network that loses, repeats, delays and overtakes, from a seed, and the two applications that talk over it."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

from tests.unit.endpoint.ladder import answered, endpoint
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import AssociationId, ExchangeFailed, RequestReceived, ResponseReceived, SequenceNeeded
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.coap.reliability import TransmissionParameters
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.secret import Secret

SERVER = ("192.0.2.1", 5683)
PATIENT = TransmissionParameters(max_retransmit=10)
"""Eleven transmissions: with a tenth lost each way, one message in 90 million is given up."""


@dataclass(frozen=True)
class Weather:
    """What happens to a datagram: probabilities, and the longest delay in seconds."""

    loss: float = 0.1
    duplication: float = 0.1
    delay: float = 3.0


@dataclass(frozen=True)
class Kind:
    """One way to ask: under OSCORE or plain, confirmable or not, and how many bytes each way."""

    name: str
    weight: int
    is_secured: bool = True
    is_confirmable: bool = True
    size: int = 0


KINDS = (
    Kind("OSCORE", 70),
    Kind("OSCORE, in blocks", 3, size=2500),
    Kind("OSCORE, non-confirmable", 15, is_confirmable=False),
    Kind("plain", 12, is_secured=False),
)
_WEIGHTS = [kind.weight for kind in KINDS]


@dataclass
class Tally:
    """What the applications saw."""

    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    given_up: Counter[str] = field(default_factory=Counter)
    carried_out: Counter[bytes] = field(default_factory=Counter)
    mixed_up: int = 0
    datagrams: int = 0


class Storm:
    """Clients that ask one thing after the other, and one server, until `exchanges` have been asked in all."""

    def __init__(self, *, seed: int, clients: int, weather: Weather) -> None:
        self.tally = Tally()
        self._chance = random.Random(seed)
        self._weather = weather
        self._now = 0.0
        self._order = count()
        self._agenda: list[tuple[float, int, tuple[str, int], tuple[bytes, tuple[str, int]] | None]] = []
        self._serial = count(1)
        self._left = 0
        self._waiting: dict[tuple[tuple[str, int], int], tuple[Kind, bytes]] = {}
        self.server = endpoint(seed, transmission=PATIENT)
        self._sides = {SERVER: self.server}
        for number in range(clients):
            address = ("192.0.2.2", 10_000 + number)
            self._sides[address] = endpoint(seed + number, transmission=PATIENT, response_timeout=4000.0)
            self._associate(address, number)

    def run(self, exchanges: int) -> None:
        """Ask so many, and wait until each has ended."""
        self._left = exchanges
        for address in self._sides:
            if address != SERVER:
                self._ask(address)
                self._settle(address)
        while self._waiting:
            self._now, _, address, arrival = heapq.heappop(self._agenda)
            if arrival is not None:
                self._sides[address].receive_datagram(*arrival, self._now)
            self._settle(address)

    def _associate(self, address: tuple[str, int], number: int) -> None:
        own, theirs = b"\x01" + number.to_bytes(2), b"\x02" + number.to_bytes(2)
        master = Secret(number.to_bytes(16))
        name = AssociationId(str(number))
        client = SecurityContext.derive(master, sender_id=own, recipient_id=theirs)
        server = SecurityContext.derive(master, sender_id=theirs, recipient_id=own)
        self._sides[address].install(Association(name, client))
        self.server.install(Association(name, server))

    def _ask(self, address: tuple[str, int]) -> None:
        if not self._left:
            return
        self._left -= 1
        (kind,) = self._chance.choices(KINDS, _WEIGHTS)
        payload = next(self._serial).to_bytes(8) + bytes(kind.size)
        exchange = self._sides[address].send_request(
            request(Code.POST, "/storm", payload=payload),
            SERVER,
            self._now,
            association=AssociationId(str(address[1] - 10_000)) if kind.is_secured else None,
            confirmable=kind.is_confirmable,
        )
        self.tally.asked[kind.name] += 1
        self._waiting[address, exchange] = kind, payload

    def _settle(self, address: tuple[str, int]) -> None:
        """Let one side say all that it has to say, and note when it wants to be woken."""
        side = self._sides[address]
        datagrams = side.datagrams_to_send(self._now)
        while (event := side.next_event()) is not None:
            match event:
                case SequenceNeeded():
                    side.sequence_reserved(event.association, event.upto)
                case RequestReceived():
                    self.tally.carried_out[event.message.payload[:8]] += 1
                    side.send_response(event.exchange, answered(Code.CHANGED, event.message.payload), self._now)
                case ResponseReceived() | ExchangeFailed():
                    self._close(address, event)
        for data, destination in datagrams + side.datagrams_to_send(self._now):
            self._carry(data, address, destination)
        wake = side.next_deadline()
        if wake is not None:
            heapq.heappush(self._agenda, (max(wake, self._now), next(self._order), address, None))

    def _close(self, address: tuple[str, int], event: ResponseReceived | ExchangeFailed) -> None:
        kind, payload = self._waiting.pop((address, event.exchange))
        if isinstance(event, ExchangeFailed):
            self.tally.given_up[kind.name] += 1
        else:
            self.tally.answered[kind.name] += 1
            self.tally.mixed_up += event.message.payload != payload
        self._ask(address)

    def _carry(self, data: bytes, source: tuple[str, int], destination: tuple[str, int]) -> None:
        self.tally.datagrams += 1
        copies = (self._chance.random() >= self._weather.loss) + (self._chance.random() < self._weather.duplication)
        for _ in range(copies):
            at = self._now + self._chance.random() * self._weather.delay
            heapq.heappush(self._agenda, (at, next(self._order), destination, (data, source)))
