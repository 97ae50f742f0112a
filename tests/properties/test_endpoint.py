"""Whatever arrives, in whatever order: nothing raises, nothing grows over its bound, strangers get at most 3 : 1."""

import random

import pytest

from tests.properties.bounds import BOUNDS, over_bound
from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, SECURED, THING, Ladder, answered, endpoint, events
from thingstead.endpoint.event import ContextNeeded, RequestReceived, SequenceNeeded
from thingstead.protocols.coap.message import Message, MessageType, encode, request
from thingstead.protocols.coap.registry import OPTIONS, Code


def recorded():
    """Datagrams of a life with everything in it, both ways, plain and protected."""
    found = []
    for secured in (False, True):
        ladder = Ladder(secured=secured, respond=lambda event: answered(Code.CONTENT, bytes(2000), OBSERVE))
        ladder.ask(request(Code.GET, "/a"), observe=True)
        ladder.ask(request(Code.POST, "/b", payload=bytes(3000)))
        ladder.ask(request(Code.PUT, "/c"), confirmable=False)
        ladder.run(until=60.0)
        found += [data for _, _, data in ladder.wire]
    return found


def mutate(data, chance):
    changed = bytearray(data)
    for _ in range(chance.randrange(4)):
        kind = chance.randrange(4)
        at = chance.randrange(len(changed)) if changed else 0
        if kind == 0 and changed:
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del changed[at : at + chance.randrange(1, 9)]
        elif kind == 2:
            changed[at:at] = chance.randbytes(chance.randrange(1, 9))
        else:
            changed[:2] = bytes((0x40 | chance.randrange(64), chance.choice((0, 1, 2, 3, 5, 65, 69, 95, 128))))
    return bytes(changed)


@pytest.mark.requirement("R-36")
@pytest.mark.requirement("R-37")
@pytest.mark.parametrize("seed", range(4))
def test_a_flood_of_mutated_datagrams_from_strangers(seed):
    chance = random.Random(seed)
    side = endpoint(seed, **BOUNDS)
    corpus = recorded()
    received: dict[tuple[str, int], int] = {}
    sent: dict[tuple[str, int], int] = {}
    now = 0.0
    for _ in range(1500):
        now += chance.random() / 10
        data = mutate(chance.choice(corpus), chance)
        source = (f"192.0.2.{chance.randrange(20)}", 5683)
        received[source] = received.get(source, 0) + len(data)
        side.receive_datagram(data, source, now, multicast=chance.random() < 0.05)
        for event in events(side):
            if isinstance(event, RequestReceived) and chance.random() < 0.8:
                side.send_response(event.exchange, answered(Code.CONTENT, bytes(chance.randrange(1500)), OBSERVE), now)
            elif isinstance(event, ContextNeeded):
                side.context_unknown(event.kid, event.kid_context)
        for reply, destination in side.datagrams_to_send(now):
            sent[destination] = sent.get(destination, 0) + len(reply)
    assert over_bound(side) == {}
    assert all(sent.get(source, 0) <= 3 * count for source, count in received.items())


@pytest.mark.parametrize("seed", range(4))
def test_a_forger_on_the_wire_never_stops_a_secured_exchange_nor_enters_it(seed):
    chance = random.Random(seed)
    ladder = Ladder(secured=True, respond=lambda event: answered(Code.CHANGED, event.message.payload))
    ladder.ask(request(Code.POST, "/a", payload=b"truth" * 500))
    ladder.pump()
    genuine = [(source, data) for source, _, data in ladder.wire]
    for _ in range(400):
        source, data = chance.choice(genuine)
        forged = bytearray(data)
        forged[chance.randrange(4, len(forged))] ^= 1 << chance.randrange(8)
        ladder.sides[CONTROLLER if source == THING else THING].receive_datagram(bytes(forged), source, ladder.now)
        for side in ladder.sides.values():
            side.datagrams_to_send(ladder.now)
    # A flipped option number makes a plain request of it, which the application sees as just that.
    found = [event for side in ladder.sides.values() for event in events(side)]
    assert all(isinstance(event, RequestReceived) and event.association is None for event in found)
    ladder.ask(request(Code.POST, "/a", payload=b"again"))
    ladder.run()
    assert {event.message.payload for event in ladder.requests} == {b"truth" * 500, b"again"}
    assert ladder.controller.association(SECURED).address == THING
    assert not ladder.results(SequenceNeeded)


def anything(chance, code):
    """A message with any options of any length, in order, as an authenticated peer may send it."""
    numbers = (4, 6, 6, 8, 11, 11, 12, 14, 15, 17, 23, 23, 27, 27, 28, 60, 252, 258, 292, 65000, 65001)
    chosen = sorted(chance.choice(numbers) for _ in range(chance.randrange(6)))
    sizes = [min(chance.choice((0, 1, 1, 2, 3)), OPTIONS[n].max_size if n in OPTIONS else 3) for n in chosen]
    options = [(number, chance.randbytes(size)) for number, size in zip(chosen, sizes, strict=True)]
    return Message(code, options=options, payload=chance.randbytes(chance.choice((0, 5, 16, 64, 1024))))


@pytest.mark.parametrize("seed", range(8))
def test_a_peer_behind_an_association_may_say_anything(seed):
    chance = random.Random(seed)

    def respond(event):
        return anything(chance, chance.choice((65, 68, 69, 95, 129, 132, 136, 141, 160)))

    ladder = Ladder(secured=True, respond=respond)
    for number in range(150):
        message = anything(chance, chance.choice((1, 2, 3, 5)))
        ladder.ask(message, observe=chance.random() < 0.3, confirmable=chance.random() < 0.8)
        ladder.now += chance.random()
        ladder.pump()
        if number % 10 == 0:
            for event in ladder.requests[-5:]:
                ladder.controller.send_response(event.exchange, respond(event), ladder.now)
    ladder.run(until=2000.0)
    assert ladder.controller._layer.known.open == {}
    assert all(exchange.order is not None for exchange in ladder.thing._client._outstanding)


@pytest.mark.requirement("R-49")
def test_registrations_that_are_challenged_leave_nothing_behind():
    side = endpoint(1, **BOUNDS)
    for number in range(50):
        asked = Message(Code.GET, MessageType.NON, number, b"t", [OBSERVE, (11, b"temperature")])
        side.receive_datagram(encode(asked), ("192.0.2.3", 1000 + number), 0.0)
        assert len(side.datagrams_to_send(0.0)) == 1
    assert over_bound(side) == {}


@pytest.mark.spec("RFC 7641 3.4")
@pytest.mark.spec("RFC 8613 8.4.2")
@pytest.mark.parametrize("secured", [False, True], ids=["plain", "OSCORE"])
@pytest.mark.parametrize("seed", range(6))
def test_an_observation_outlives_a_wire_that_loses_repeats_and_reorders(seed, secured):
    chance = random.Random(seed)
    fresh = (14, b"\x0e\x10")
    ladder = Ladder(
        secured=secured,
        seed=seed,
        respond=lambda event: answered(Code.CONTENT, b"0", OBSERVE, fresh),
        loss=0.05,
        duplication=0.4,
        disorder=0.5,
    )
    ladder.ask(request(Code.GET, "/a"), observe=True)
    ladder.run(until=100.0)
    (registered,) = [event for event in ladder.requests if event.observe][-1:]
    for state in range(1, 60):
        ladder.now += chance.random() * 4
        response = answered(Code.CONTENT, str(state).encode(), OBSERVE, fresh)
        ladder.controller.send_response(registered.exchange, response, ladder.now)
        ladder.run(until=ladder.now)
    ladder.run(until=ladder.now + 200.0)
    seen = [int(event.message.payload) for event in ladder.results()]
    assert seen == sorted(set(seen))
    assert seen[-1] >= 58
    assert ladder.ended == []
