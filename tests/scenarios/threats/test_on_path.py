"""Invariant: whatever somebody between two things and their domain drops, repeats, holds back, swaps, relays or
downgrades, of the datagrams of a handshake, by key pair, by code, or again with the first request: a thing that takes
itself for a member shares its keys with the domain, under its own name; and once the line is clear both are members.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.scenarios.test_install_code import CODE, LABELLED, OTHER, stranger, tell
from tests.scenarios.world import play
from thingstead.endpoint.event import AssociationId
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.code import is_request
from thingstead.protocols.coap.message import decode, encode
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.edhoc.combined_request import is_combined
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.profile import path
from thingstead.simulator.virtual.network import Datagram

pytestmark = [pytest.mark.requirement("R-27"), pytest.mark.spec("RFC 9528 9.1"), pytest.mark.slow]

ATTACKED, CLEAR = 40, 400
MESSAGES = (1, 2, 3, 4)
_OTHER = ("203.0.113.66", 5683)
_RUN_OUT = timedelta(days=31)


@dataclass
class Line:
    """What an attack sees and can do.

    Attributes:
        world: for its network and time.
        due: which message of a handshake each thing waits for an answer to.
        hits: datagrams that did not go their way.
    """

    world: Any
    due: dict[Any, int] = field(default_factory=dict)
    hits: int = 0

    def number(self, datagram: Datagram) -> int:
        """Which message of a handshake a datagram carries; 0 for all else."""
        message = decode(datagram.data)
        if is_request(message.code):
            is_edhoc = message.path == path.EDHOC or is_combined(message)
            number = (1 if message.payload[:1] == b"\xf5" else 3) if is_edhoc else 0
            self.due[datagram.source] = number
            return number
        number = self.due.get(datagram.destination, 0)
        return number + 1 if number and message.payload else 0

    def later(self, seconds: float, *datagrams: Datagram) -> None:
        for one in datagrams:
            self.world.network._loop.call_later(seconds, self.world.network.inject, one)

    def other(self, address: Any) -> Any:
        """The other thing's address; the domain's stays what it is."""
        one, another = (thing.address for thing in self.world.things.values())
        return {one: another, another: one}.get(address, address)

    def swapped(self, datagram: Datagram) -> Datagram:
        """The datagram as from, or for, the other thing."""
        source, destination = self.other(datagram.source), self.other(datagram.destination)
        return replace(datagram, source=source, destination=destination)


Attack = Callable[[Line, Datagram, int], Iterable[Datagram]]


def dropping(target: int) -> Attack:
    return lambda _line, datagram, number: () if number == target else (datagram,)


def swapping(target: int) -> Attack:
    return lambda line, datagram, number: (line.swapped(datagram) if number == target else datagram,)


def relaying(line: Line, datagram: Datagram, _number: int) -> Iterator[Datagram]:
    yield line.swapped(datagram)


def repeating(line: Line, datagram: Datagram, _number: int) -> Iterator[Datagram]:
    yield from (datagram, datagram)
    line.later(3.0, datagram, line.swapped(datagram), replace(datagram, source=_OTHER), renumbered(datagram))


def holding_back(line: Line, datagram: Datagram, _number: int) -> Iterator[Datagram]:
    line.later(5.0, datagram)
    yield from ()


def downgrading(*items: Any) -> Attack:
    """message_1 with other items in front: method, suites."""

    def attack(_line: Line, datagram: Datagram, number: int) -> Iterator[Datagram]:
        message = decode(datagram.data)
        if number == 1:
            said = codec.decode_sequence(message.payload)
            message.payload = codec.encode_sequence(True, *items, *said[1 + len(items) :])
        yield replace(datagram, data=encode(message))

    return attack


def anything(seed: int) -> Attack:
    """Any of these, and a changed byte, by chance."""
    chance = random.Random(seed)
    choices = [dropping(0), relaying, repeating, holding_back, *map(swapping, MESSAGES), *map(dropping, MESSAGES)]

    def attack(line: Line, datagram: Datagram, number: int) -> Iterable[Datagram]:
        if chance.random() < 0.2:
            at = chance.randrange(4, len(datagram.data))
            changed = (
                datagram.data[:at] + bytes([datagram.data[at] ^ 1 << chance.randrange(8)]) + datagram.data[at + 1 :]
            )
            return (replace(datagram, data=changed),)
        return chance.choice(choices)(line, datagram, number)

    return attack


def renumbered(datagram: Datagram) -> Datagram:
    """With another message ID: no duplicate that the message layer would see."""
    return replace(datagram, data=datagram.data[:2] + bytes([datagram.data[2] ^ 0x55]) + datagram.data[3:])


async def by_key_pair(world, arm):
    things = [world.thing(serial) for serial in ("A0001", "A0002")]
    arm()
    for thing in things:
        thing.start()


async def by_code(world, arm):
    labels = {"Z0001": CODE, "Z0002": OTHER}
    for serial, code in labels.items():
        await tell(world, code, serial)
    things = [stranger(world, serial, code=code) for serial, code in labels.items()]
    arm()
    for thing in things:
        thing.start()


async def again(world, arm):
    """The handshakes that count are those of things that were members already."""
    await world.joined("A0001", "A0002")
    await world.until(lambda: all(thing.has_reported for thing in world.things.values()))
    arm()
    world.clock.skew += _RUN_OUT


KINDS = {"by key pair": by_key_pair, "by code": by_code, "again": again}


def shares_its_keys(world, thing):
    """Whether the domain holds, under the name that the thing has there, the keys that the thing holds."""
    held = thing.agent.association
    ours = SecurityContext.derive(
        held.master_secret, master_salt=held.master_salt, sender_id=held.sender_id, recipient_id=held.recipient_id
    )
    found = world.domain.controller.server._endpoint.association(AssociationId(world.domain.record(thing.serial).id))
    if found is None or thing.id != world.domain.record(thing.serial).id:
        return False
    return (found.context.recipient._key, found.context.sender._key) == (ours.sender._key, ours.recipient._key)


async def attacked(world, kind, attack):
    """Begin under attack; how many handshake datagrams it touched, and who took itself for a member meanwhile."""
    line = Line(world)

    def on_path(datagram: Datagram) -> tuple[Datagram, ...]:
        number = line.number(datagram)
        passed = tuple(attack(line, datagram, number)) if number else (datagram,)
        line.hits += passed != (datagram,)
        return passed

    def arm() -> None:
        world.network.on_path = on_path
        before.update({one.serial: one.agent.association for one in world.things.values() if one.is_up})

    before: dict[str, Any] = {}
    await KINDS[kind](world, arm)
    await world.sleep(ATTACKED)
    things = [thing for thing in world.things.values() if thing.is_joined]
    members = [thing for thing in things if thing.agent.association != before.get(thing.serial)]
    assert all(shares_its_keys(world, thing) for thing in members)
    return line, members


async def cleared(world):
    world.network.on_path = lambda datagram: (datagram,)
    things = list(world.things.values())
    accepted = world.domain.controller.planes.data.accepted
    await world.until(lambda: all(one.is_joined and one.has_reported for one in things), within=CLEAR)
    await world.until(lambda: world.domain.controller.planes.data.accepted > accepted, within=CLEAR)
    assert all(shares_its_keys(world, one) for one in things)
    assert {record.serial for record in world.domain.controller.register.things()} == set(world.things)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", MESSAGES)
def test_dropped(kind, target):
    async def story(world):
        line, members = await attacked(world, kind, dropping(target))
        assert (line.hits > 0, members) == (True, [])
        await cleared(world)

    play(story, policy=LABELLED)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", MESSAGES)
def test_swapped_with_that_of_the_other_thing(kind, target):
    async def story(world):
        line, _members = await attacked(world, kind, swapping(target))
        assert line.hits
        await cleared(world)

    play(story, policy=LABELLED)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attack", [relaying, repeating, holding_back])
def test_relayed_repeated_and_held_back(kind, attack):
    async def story(world):
        line, _members = await attacked(world, kind, attack)
        assert line.hits
        await cleared(world)

    play(story, policy=LABELLED)


@pytest.mark.spec("RFC 9528 6.3")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("items", [(0,), (1,), (4,), (3, 2), (3, [2, 3]), (3, [3, 2]), (3, 0), (4, 2)], ids=str)
def test_downgraded(kind, items):
    async def story(world):
        line, members = await attacked(world, kind, downgrading(*items))
        assert members == [] or not line.hits
        await cleared(world)

    play(story, policy=LABELLED)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_anything_at_once(kind, seed):
    async def story(world):
        line, _members = await attacked(world, kind, anything(seed))
        assert line.hits
        await cleared(world)

    play(story, policy=LABELLED)


def test_the_codes_of_the_refusals_say_nothing_but_that():
    """What the domain answers a changed handshake with: an EDHOC error and one code (RFC 9528 appendix A.2)."""

    async def story(world):
        await attacked(world, "by key pair", anything(9))
        said = [decode(one.data) for one in world.network.sent if one.source == world.domain.address]
        codes = {message.code for message in said if message.code >= Code.BAD_REQUEST}
        assert codes <= {Code.BAD_REQUEST, Code.UNAUTHORIZED, Code.INTERNAL_SERVER_ERROR}

    play(story, policy=LABELLED)
