"""Things join in any order, directly or over a proxy that carries the handshake and gains no key (R-60).

::

    thing                    join proxy                  domain
      |--- EDHOC message_1 ----->|--- the same --------------->|
      |<-- message_2 ------------|<----------------------------|
      |--- message_3 ----------->|---------------------------->|
      |<-- message_4 ------------|<----------------------------|
      |=== OSCORE, end to end ===|============================>|
"""

import gc
import itertools
from datetime import date
from types import FunctionType, ModuleType

import pytest

from tests.scenarios.threats.test_capture import secrets_of
from tests.scenarios.world import play
from thingstead.proxy.config import Approach, ClientsConfig, ListenConfig, OriginConfig, ProxyConfig
from thingstead.proxy.core import Proxy
from thingstead.simulator.virtual.network import Host

PROXY = ("198.51.100.9", 5683)
THINGS = ClientsConfig(networks=("192.0.2.0/24",), verified=("192.0.2.0/24",))


def join_proxy(world):
    """A reverse proxy in front of the domain; what passes protects itself, or is refused at its ends."""
    host, port = world.domain.address
    domain = OriginConfig(name="home", address=host, port=port, reverse=True, approach=Approach.OBJECT_SECURITY)
    config = ProxyConfig(listen=ListenConfig(host=PROXY[0]), clients=THINGS, origin=(domain,))
    proxy = Proxy(config, random_bytes=world.random.randbytes, today=lambda: date(2026, 11, 23))
    Host(proxy, PROXY, world.network)
    return proxy


def behind(world, serial, **born):
    """A thing that knows of no other way to the domain than the proxy."""
    return world.thing(serial, controller_host=PROXY[0], controller_port=PROXY[1], **born)


def reachable(root):
    """Every string of bytes that an object leads to, the code that it runs left aside."""
    seen, queue = set(), [root]
    while queue:
        one = queue.pop()
        if id(one) in seen or isinstance(one, (type, ModuleType)):
            continue
        seen.add(id(one))
        if isinstance(one, bytes):
            yield one
        is_code = isinstance(one, FunctionType)
        queue.extend((*(one.__closure__ or ()), *(one.__defaults__ or ())) if is_code else gc.get_referents(one))


def between(world, one, other):
    return [sent for sent in world.network.sent if {sent.source, sent.destination} == {one, other}]


@pytest.mark.requirement("R-60")
def test_a_thing_joins_over_a_proxy_and_everything_goes_on_over_it():
    async def story(world):
        proxy = join_proxy(world)
        thing = behind(world, "A0001")
        thing.start()
        await world.until(lambda: thing.has_reported)
        assert between(world, thing.address, world.domain.address) == []
        assert between(world, PROXY, world.domain.address)
        taken, relayed = world.domain.controller.planes.data.accepted, proxy.relayed
        await world.until(lambda: world.domain.controller.planes.data.accepted > taken)
        assert proxy.relayed > relayed

    play(story)


@pytest.mark.requirement("R-60")
def test_the_proxy_gains_no_key():
    async def story(world):
        proxy = join_proxy(world)
        thing = behind(world, "A0001")
        thing.start()
        await world.until(lambda: thing.has_reported)
        secrets = secrets_of(world)
        assert secrets
        held = b"\0".join(reachable(proxy))
        carried = b"\0".join(sent.data for sent in world.network.sent if PROXY in {sent.source, sent.destination})
        for name, secret in secrets.items():
            assert secret.reveal() not in held, name
            assert secret.reveal() not in carried, name

    play(story)


def test_the_search_finds_a_key_wherever_it_lies():
    key = bytes(range(100, 116))

    class Holder:
        __slots__ = ("way",)

        def __init__(self):
            self.way = {"in": [lambda: key]}

    assert key in reachable(Holder())


@pytest.mark.requirement("R-60")
@pytest.mark.parametrize("order", list(itertools.permutations(("direct", "proxied", "late"))), ids="-".join)
def test_things_join_in_any_order_on_either_way(order):
    async def story(world):
        join_proxy(world)
        things = {
            "direct": world.thing("A0001"),
            "proxied": behind(world, "A0002"),
            "late": behind(world, "B0001", maker=world.makers["brook"], model="TH-2"),
        }
        for name in order:
            things[name].start()
            await world.until(lambda name=name: things[name].has_reported)
        assert len({thing.id for thing in things.values()}) == 3

    play(story)


@pytest.mark.requirement("R-60")
def test_things_that_join_at_once_over_one_proxy_all_come_in():
    async def story(world):
        join_proxy(world)
        things = [behind(world, f"A000{number}") for number in range(1, 7)]
        for thing in things:
            thing.start()
        await world.until(lambda: all(thing.has_reported for thing in things))

    play(story)


def test_what_a_proxy_changes_is_no_join():
    async def story(world):
        join_proxy(world)
        flipped = []

        def lying(datagram):
            if datagram.source != PROXY or len(datagram.data) < 60:
                return (datagram,)
            flipped.append(datagram)
            last = datagram.data[-1] ^ 1
            return (
                type(datagram)(datagram.at, datagram.source, datagram.destination, datagram.data[:-1] + bytes([last])),
            )

        world.network.on_path = lying
        thing = behind(world, "A0001")
        thing.start()
        await world.sleep(120)
        assert flipped
        assert not thing.is_joined
        assert not [one for one in world.domain.controller.register.things() if one.joined_at is not None]

    play(story)
