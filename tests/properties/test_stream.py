"""Whatever a connection brings, in whatever pieces: nothing raises, nothing grows over its bound, others go on."""

import random

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, THING, answered, events
from tests.unit.endpoint.stream_ladder import StreamLadder, stream_endpoint
from thingstead.endpoint.config import Retention
from thingstead.endpoint.event import RequestReceived
from thingstead.errors import StateError
from thingstead.protocols.coap import block, tcp
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.coap.tcp_connection import ConnectionConfig
from thingstead.protocols.coap.tcp_signal import Csm, Ping, Release, encode_signal

SMALL = Retention(
    uploads=block.Limits(max_body=600, max_bodies=4, max_bodies_per_peer=2, max_total=1000),
    representations=block.Limits(max_bodies=4, max_total=4000),
    max_exchanges=6,
    max_observers=4,
    max_observers_per_peer=2,
)
CONNECTION = ConnectionConfig(limits=tcp.Limits(max_message=2000), max_unsent=4000)


def recorded():
    """What one end said in a life with everything in it, plain and protected, message by message."""
    found = [tcp.encode(encode_signal(signal)) for signal in (Csm(5000, block_wise=True), Ping(), Release())]
    for secured in (False, True):
        ladder = StreamLadder(secured=secured, respond=lambda event: answered(Code.CONTENT, bytes(2000), OBSERVE))
        ladder.ask(request(Code.GET, "/a"), observe=True)
        ladder.ask(request(Code.POST, "/b", payload=bytes(3000)))
        ladder.run(until=60.0)
        found += [data for source, data in ladder.wire if source == THING]
    return found


def mutate(data, chance):
    changed = bytearray(data)
    for _ in range(chance.randrange(3)):
        at = chance.randrange(len(changed)) if changed else 0
        if chance.random() < 0.5 and changed:
            changed[at] ^= 1 << chance.randrange(8)
        else:
            changed[at:at] = chance.randbytes(chance.randrange(1, 5))
    return bytes(changed)


@pytest.mark.requirement("R-47")
@pytest.mark.parametrize("seed", range(4))
def test_a_flood_of_mutated_streams_from_strangers(seed):
    chance = random.Random(seed)
    side = stream_endpoint(seed, connection=CONNECTION, max_connections=6, max_connections_per_host=3, strangers=SMALL)
    corpus = recorded()
    now = 0.0
    for _ in range(1200):
        now += chance.random()
        source = (f"192.0.2.{chance.randrange(4)}", chance.randrange(4))
        try:
            side.connect(source, now)
        except StateError:
            pass
        else:
            side.receive_bytes(corpus[0], source, now)
        side.receive_bytes(mutate(chance.choice(corpus), chance), source, now)
        side.pause(source, is_full=chance.random() < 0.2)
        for event in events(side):
            if isinstance(event, RequestReceived) and chance.random() < 0.8:
                side.send_response(event.exchange, answered(Code.CONTENT, bytes(chance.randrange(1500)), OBSERVE), now)
        side.datagrams_to_send(now)
        for gone in side.connections_to_close():
            side.disconnect(gone, now)
        memory = side._layer.strangers
        assert len(side._connections) <= 6
        assert memory.uploads.held <= 1000
        assert len(memory.open) <= 6
        assert len(memory.observing) <= 4
    for address in list(side._connections._by_address):
        side.disconnect(address, now)
    events(side)
    side.datagrams_to_send(now)
    assert (memory.open, memory.observing, side.next_deadline()) == ({}, {}, None)
    assert len(side.counters) < 30


@pytest.mark.parametrize("seed", range(3))
def test_every_exchange_of_many_ends_once_however_the_stream_is_cut(seed):
    ladder = StreamLadder(secured=True, seed=seed, respond=lambda event: answered(Code.CHANGED, event.message.payload))
    chance = random.Random(seed)
    asked = {}
    for _ in range(60):
        body = chance.randbytes(chance.choice((0, 5, 1024, 1025, 4000, 9000)))
        asked[ladder.ask(request(Code.POST, "/a", payload=body))] = body
        if chance.random() < 0.3:
            ladder.pump()
    ladder.pump()
    assert {event.exchange: event.message.payload for event in ladder.results()} == asked
    assert len(ladder.results()) == len(asked)
    assert ladder.controller._connections.find(THING).peer.takes_bert
    assert ladder.thing._connections.find(CONTROLLER).error is None
