"""Whoever commands a lamp, by whatever right, it stays within what its maker declares safe."""

import pytest

from tests.scenarios.peers import PEERS, outcome, press
from tests.scenarios.world import play
from thingstead.agent.envelope import Envelope
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code

_POLICY = PEERS.replace('"/light" = ["PUT", "GET"]', '"/light" = ["PUT", "GET"]\n"/light/level" = ["PUT"]').replace(
    '[granted]\n"/light" = ["GET", "PUT"]', '[granted]\n"/light" = ["GET", "PUT"]\n"/light/level" = ["PUT"]'
)


async def _two(world):
    envelope = Envelope(lowest=10, highest=80, changes_per_minute=4)
    (lamp,) = await world.joined("A0001", envelope=envelope)
    (sensor,) = await world.joined("B0001", maker=world.makers["brook"], model="TH-2")
    return sensor, lamp


@pytest.mark.requirement("R-16")
def test_neither_domain_nor_another_thing_nor_both_together_overdrive_a_lamp():
    async def story(world):
        sensor, lamp = await _two(world)
        server = world.domain.controller.server
        codes = []
        for number in range(6):
            message = request(Code.PUT, "/light", payload=codec.encode(number % 2 == 0))
            codes.append(
                (await server.request(lamp.id, message)).code if number % 2 else await press(world, sensor, lamp)
            )
        assert codes == [Code.CHANGED] * 4 + [Code.TOO_MANY_REQUESTS, Code.CHANGED], "off it is already"
        await world.sleep(61)
        assert await press(world, sensor, lamp) == Code.CHANGED

    play(story, policy=_POLICY)


@pytest.mark.requirement("R-16")
@pytest.mark.parametrize(
    ("level", "code"), [(9, Code.UNPROCESSABLE_ENTITY), (81, Code.UNPROCESSABLE_ENTITY), (80, Code.CHANGED)]
)
def test_a_level_is_judged_alike_for_all(level, code):
    async def story(world):
        sensor, lamp = await _two(world)
        message = request(Code.PUT, "/light/level", payload=codec.encode(level))
        assert (await world.domain.controller.server.request(lamp.id, message)).code == code
        found = await outcome(world, sensor, lamp, message)
        assert isinstance(found, Message)
        assert found.code == code

    play(story, policy=_POLICY)
