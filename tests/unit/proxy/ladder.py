"""A client, a proxy and two origins on a wire in memory."""

import random
from datetime import date
from typing import Any

from tests.unit.endpoint.ladder import SECURED, answered, context, endpoint, events
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig, StreamConfig
from thingstead.endpoint.event import ExchangeFailed, RequestReceived, ResponseReceived, SequenceNeeded
from thingstead.endpoint.stream_endpoint import StreamEndpoint
from thingstead.protocols.coap.message import decode
from thingstead.protocols.coap.registry import Scheme
from thingstead.protocols.coap.reliability import TransmissionParameters
from thingstead.proxy.config import Approach, ClientsConfig, ListenConfig, OriginConfig, ProxyConfig
from thingstead.proxy.core import Proxy

CLIENT, PROXY = ("192.0.2.10", 40000), ("192.0.2.1", 5690)
SECOND, THIRD = ("192.0.2.11", 40000), ("192.0.2.12", 40000)
LAMP, LEGACY = ("198.51.100.1", 5683), ("198.51.100.2", 5683)
OVER_TCP, STREAM = ("192.0.2.20", 50000), ("198.51.100.3", 5683)
"""A client and an origin that are on connections."""
TODAY = date(2026, 11, 23)
LENT: dict[str, Any] = {
    "approach": Approach.SHARED_CREDENTIALS,
    "exception_until": date(2027, 1, 31),
    "exception_reason": "speaks no OSCORE; replaced in January",
}
ORIGINS = (
    OriginConfig(name="lamp.example", address=LAMP[0], reverse=True),
    OriginConfig(
        name="legacy.example",
        address=LEGACY[0],
        **LENT,
    ),
)
STREAM_ORIGIN = OriginConfig(name="stream.example", address=STREAM[0], scheme=Scheme.COAP_TCP, **LENT)
EVERYBODY = ClientsConfig(networks=("192.0.2.0/24",), verified=("192.0.2.0/24",))


def stream_endpoint(seed):
    return StreamEndpoint(EndpointConfig(), StreamConfig(), random_bytes=random.Random(seed).randbytes)


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
        self.sides |= {address: endpoint(seed) for seed, address in ((4, SECOND), (5, THIRD))}
        self.streams = {address: stream_endpoint(seed) for seed, address in ((6, OVER_TCP), (7, STREAM))}
        self.is_listening = True
        self.respond = respond or (lambda event: answered(payload=event.message.path.encode()))
        self.change = change or (lambda data, source, destination: data)
        self.now = 0.0
        self.wire = []
        self.seen = []

    def ask(self, request, *, secured=False, at=CLIENT, **arguments):
        """Send a request to the proxy."""
        association = SECURED if secured else None
        return self.sides[at].send_request(request, PROXY, self.now, association=association, **arguments)

    def dial(self):
        """The client that is on connections opens one with the proxy."""
        self.proxy.streams.connect(OVER_TCP, self.now)
        self.streams[OVER_TCP].connect(PROXY, self.now, is_ours=True)

    def hang_up(self, at):
        """Whoever is at the other end of a connection closes it."""
        self.streams[at].disconnect(PROXY, self.now)
        self.proxy.streams.disconnect(at, self.now)

    def ask_over_tcp(self, request, **arguments):
        """Send a request to the proxy over the connection."""
        return self.streams[OVER_TCP].send_request(request, PROXY, self.now, **arguments)

    def run(self, until=300.0):
        """Let everything happen that does up to `until`."""
        while True:
            self._pump()
            all_sides = [*self.sides.values(), *self.streams.values(), self.proxy.streams]
            due = [at for side in all_sides if (at := side.next_deadline()) is not None]
            if not due or min(due) > until:
                return
            self.now = max(self.now, min(due))

    @property
    def responses(self):
        """What the client got."""
        return self.told(CLIENT)

    def told(self, client):
        """What any client got."""
        return [e.message for at, e in self.seen if at == client and isinstance(e, ResponseReceived)]

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
            moved = self._pump_streams() or moved

    def _pump_streams(self):
        for origin in self.proxy.streams.wanted():
            if self.is_listening:
                self.streams[origin].connect(PROXY, self.now)
                self.proxy.streams.connect(origin, self.now, is_ours=True)
            else:
                self.proxy.streams.on_unopened(origin, self.now)
        moved = False
        self.proxy.run(self.now)
        for data, address in self.proxy.streams.datagrams_to_send(self.now):
            moved = True
            self.wire.append((PROXY, address, data))
            self.streams[address].receive_bytes(data, PROXY, self.now)
        for address, side in self.streams.items():
            self._answer(address, side)
            for data, _ in side.datagrams_to_send(self.now):
                moved = True
                self.wire.append((address, PROXY, data))
                self.proxy.streams.receive_bytes(data, address, self.now)
        return moved

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
