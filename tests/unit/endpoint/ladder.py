"""Two endpoints on a wire in memory: tests read like ladder diagrams."""

import random
from dataclasses import replace

from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import (
    AssociationId,
    ExchangeEnded,
    ExchangeFailed,
    RequestReceived,
    ResponseReceived,
    SequenceNeeded,
)
from thingstead.protocols.coap.message import Message, decode
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

THING = ("192.0.2.1", 5683)
CONTROLLER = ("192.0.2.2", 5683)
SECURED = AssociationId("a")


def context(*, mirrored=False, window=None, sequence=None):
    ids = (b"\x01", b"\x02")
    sender_id, recipient_id = ids[::-1] if mirrored else ids
    return SecurityContext.derive(
        Secret(bytes(range(16))), sender_id=sender_id, recipient_id=recipient_id, window=window, sequence=sequence
    )


def endpoint(seed=1, **changes):
    return Endpoint(replace(EndpointConfig(), **changes), random_bytes=random.Random(seed).randbytes)


def events(side):
    found = []
    while (event := side.next_event()) is not None:
        found.append(event)
    return found


def answered(code=Code.CONTENT, payload=b"", *options):
    return Message(code, options=list(options), payload=payload)


class Ladder:
    """A thing (client by habit) and a controller (server by habit), and what goes between them.

    `respond(request event) -> Message or None` is the application on either side; everything else that happens is
    kept in `seen`. `loss`, `duplication` and `disorder` are probabilities of the seeded channel.
    """

    def __init__(self, *, secured=False, respond=None, seed=1, loss=0.0, duplication=0.0, disorder=0.0, **changes):
        self.thing = endpoint(1, **changes)
        self.controller = endpoint(2, **changes)
        self.sides = {THING: self.thing, CONTROLLER: self.controller}
        self.respond = respond or (lambda event: answered(payload=event.message.path.encode()))
        self.random = random.Random(seed)
        self.loss, self.duplication, self.disorder = loss, duplication, disorder
        self.now = 0.0
        self.seen = []
        self.wire = []
        self.in_flight = []
        self.association = SECURED if secured else None
        if secured:
            self.thing.install(Association(SECURED, context()))
            self.controller.install(Association(SECURED, context(mirrored=True)))

    def restart_controller(self, **changes):
        """The controller loses its replay window, and starts its numbers from what was reserved."""
        self.controller = self.sides[CONTROLLER] = endpoint(3, **changes)
        lost = context(mirrored=True, window=ReplayWindow(valid=False), sequence=SequenceNumbers(1000))
        self.controller.install(Association(SECURED, lost))

    def ask(self, request, **arguments):
        return self.thing.send_request(request, CONTROLLER, self.now, association=self.association, **arguments)

    def pump(self):
        """Let datagrams fly until nothing moves."""
        while True:
            for address, side in self.sides.items():
                self._answer(address, side)
                for data, destination in side.datagrams_to_send(self.now):
                    self.wire.append((address, destination, data))
                    self._carry(address, destination, data)
                self._answer(address, side)
            if not self.in_flight:
                return
            if self.random.random() < self.disorder:
                self.random.shuffle(self.in_flight)
            source, destination, data = self.in_flight.pop(0)
            if destination in self.sides:
                self.sides[destination].receive_datagram(data, source, self.now)

    def run(self, until=300.0):
        """Pump, and jump to the next deadline, until nothing is left to happen."""
        self.pump()
        while (deadline := self._deadline()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.pump()

    def results(self, kind=ResponseReceived):
        return [event for _, event in self.seen if isinstance(event, kind)]

    @property
    def requests(self):
        return self.results(RequestReceived)

    @property
    def response(self):
        (event,) = self.results()
        return event.message

    @property
    def failure(self):
        (event,) = self.results(ExchangeFailed)
        return event.error

    @property
    def ended(self):
        return self.results(ExchangeEnded)

    def sent(self, address):
        """The messages that this address sent."""
        return [decode(data) for source, _, data in self.wire if source == address]

    def _carry(self, source, destination, data):
        copies = 0 if self.random.random() < self.loss else 1
        copies += self.random.random() < self.duplication
        self.in_flight += [(source, destination, data)] * copies

    def _answer(self, address, side):
        for event in events(side):
            self.seen.append((address, event))
            if isinstance(event, SequenceNeeded):
                side.sequence_reserved(event.association, event.upto)
            if isinstance(event, RequestReceived):
                response = self.respond(event)
                if response is not None:
                    side.send_response(event.exchange, response, self.now)

    def _deadline(self):
        return min((at for side in self.sides.values() if (at := side.next_deadline()) is not None), default=None)


OBSERVE = (int(OptionNumber.OBSERVE), b"")
