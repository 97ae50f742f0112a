"""A client, a proxy and two origins on a wire in memory."""

import random
from datetime import date

from tests.unit.endpoint.ladder import SECURED, answered, context, endpoint, events
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import ExchangeFailed, RequestReceived, ResponseReceived, SequenceNeeded
from thingstead.protocols.coap.message import decode
from thingstead.protocols.coap.reliability import TransmissionParameters
from thingstead.proxy.config import Approach, ClientsConfig, ListenConfig, OriginConfig, ProxyConfig
from thingstead.proxy.core import Proxy

CLIENT, PROXY = ("192.0.2.10", 40000), ("192.0.2.1", 5690)
LAMP, LEGACY = ("198.51.100.1", 5683), ("198.51.100.2", 5683)
TODAY = date(2026, 11, 23)
ORIGINS = (
    OriginConfig(name="lamp.example", address=LAMP[0], reverse=True),
    OriginConfig(
        name="legacy.example",
        address=LEGACY[0],
        approach=Approach.SHARED_CREDENTIALS,
        exception_until=date(2027, 1, 31),
        exception_reason="speaks no OSCORE; replaced in January",
    ),
)
EVERYBODY = ClientsConfig(networks=("192.0.2.0/24",), verified=("192.0.2.0/24",))


class ProxyLadder:
    """What a client asks through a proxy; each origin answers with `respond(event)`.

    The client shares an association with the lamp; `seen` holds what each side was told, `wire` every datagram;
    `change` may rewrite a datagram on its way, or drop it with None.
    """

    def __init__(self, *, origins=ORIGINS, clients=EVERYBODY, respond=None, change=None, today=TODAY, **settings):
        self.today = today
        listen = ListenConfig(host="192.0.2.1")
        config = ProxyConfig(listen=listen, origin=origins, clients=clients, **settings)
        self.proxy = Proxy(config, random_bytes=random.Random(7).randbytes, today=lambda: self.today)
        # A client that does not wait for one answer before it asks on, as many clients together do.
        self.client = endpoint(1, transmission=TransmissionParameters(nstart=16))
        self.lamp, self.legacy = endpoint(2), endpoint(3)
        self.client.install(Association(SECURED, context()))
        self.lamp.install(Association(SECURED, context(mirrored=True)))
        self.sides = {CLIENT: self.client, LAMP: self.lamp, LEGACY: self.legacy, PROXY: self.proxy}
        self.respond = respond or (lambda event: answered(payload=event.message.path.encode()))
        self.change = change or (lambda data, source, destination: data)
        self.now = 0.0
        self.wire = []
        self.seen = []

    def ask(self, request, *, secured=False, **arguments):
        """Send a request to the proxy."""
        return self.client.send_request(request, PROXY, self.now, association=SECURED if secured else None, **arguments)

    def run(self, until=300.0):
        """Let everything happen that does up to `until`."""
        while True:
            self._pump()
            due = [at for side in self.sides.values() if (at := side.next_deadline()) is not None]
            if not due or min(due) > until:
                return
            self.now = max(self.now, min(due))

    @property
    def responses(self):
        """What the client got."""
        return [e.message for at, e in self.seen if at == CLIENT and isinstance(e, ResponseReceived)]

    @property
    def failures(self):
        """What the client lost."""
        return [e.error for at, e in self.seen if at == CLIENT and isinstance(e, ExchangeFailed)]

    def asked_of(self, origin):
        """The requests that an origin got."""
        return [e for at, e in self.seen if at == origin and isinstance(e, RequestReceived)]

    def between(self, source, destination):
        """The messages on one leg."""
        return [decode(data) for start, end, data in self.wire if (start, end) == (source, destination)]

    def _pump(self):
        moved = True
        while moved:
            moved = False
            for address, side in self.sides.items():
                if side is self.proxy:
                    side.run(self.now)
                outgoing = side.datagrams_to_send(self.now)
                self._answer(address, side)
                for data, destination in outgoing + side.datagrams_to_send(self.now):
                    moved = True
                    self._carry(data, address, destination)

    def _carry(self, data, source, destination):
        self.wire.append((source, destination, data))
        changed = self.change(data, source, destination)
        if changed is not None and destination in self.sides:
            self.sides[destination].receive_datagram(changed, source, self.now)

    def _answer(self, address, side):
        for event in [] if side is self.proxy else events(side):
            self.seen.append((address, event))
            if isinstance(event, SequenceNeeded):
                side.sequence_reserved(event.association, event.upto)
            if isinstance(event, RequestReceived):
                response = self.respond(event)
                if response is not None:
                    side.send_response(event.exchange, response, self.now)
