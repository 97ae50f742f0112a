"""Two endpoints with a connection between them, in memory: the stream is cut anywhere."""

import random
from dataclasses import replace

from tests.unit.endpoint.ladder import CONTROLLER, SECURED, THING, answered, context, events
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig, StreamConfig
from thingstead.endpoint.event import (
    ExchangeEnded,
    ExchangeFailed,
    RequestReceived,
    ResponseReceived,
    SequenceNeeded,
)
from thingstead.endpoint.stream_endpoint import StreamEndpoint
from thingstead.protocols.coap.tcp_connection import ConnectionConfig


def stream_endpoint(seed=1, *, connection=None, max_connections=8, max_connections_per_host=4, **changes):
    streams = StreamConfig(connection or ConnectionConfig(), max_connections, max_connections_per_host)
    return StreamEndpoint(replace(EndpointConfig(), **changes), streams, random_bytes=random.Random(seed).randbytes)


class StreamLadder:
    """A thing that has opened a connection to a controller; `respond` is the application on either side."""

    def __init__(self, *, secured=False, respond=None, seed=1, connections=(None, None), **changes):
        self.thing = stream_endpoint(1, connection=connections[0], **changes)
        self.controller = stream_endpoint(2, connection=connections[1], **changes)
        self.sides = {THING: self.thing, CONTROLLER: self.controller}
        self.respond = respond or (lambda event: answered(payload=event.message.path.encode()))
        self.random = random.Random(seed)
        self.now = 0.0
        self.seen = []
        self.wire = []
        self.association = SECURED if secured else None
        if secured:
            self.thing.install(Association(SECURED, context()))
            self.controller.install(Association(SECURED, context(mirrored=True)))
        self.thing.connect(CONTROLLER, 0.0, is_ours=True)
        self.controller.connect(THING, 0.0)

    def ask(self, request, **arguments):
        return self.thing.send_request(request, CONTROLLER, self.now, association=self.association, **arguments)

    def pump(self):
        """Let bytes flow until nothing moves."""
        moved = True
        while moved:
            moved = False
            for address, side in self.sides.items():
                other = CONTROLLER if address == THING else THING
                self._answer(address, side)
                for data, destination in side.datagrams_to_send(self.now):
                    moved = True
                    assert destination == other
                    self.wire.append((address, data))
                    self._carry(address, data)
                for gone in side.connections_to_close():
                    side.disconnect(gone, self.now)
                    self.sides[other].disconnect(address, self.now)
                self._answer(address, side)

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

    def _carry(self, source, data):
        receiver = self.sides[CONTROLLER if source == THING else THING]
        while data:
            size = self.random.randrange(1, len(data) + 1)
            receiver.receive_bytes(data[:size], source, self.now)
            data = data[size:]

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
