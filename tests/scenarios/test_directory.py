"""Things are found by what they have, in a domain that restarts and loses things."""

import pytest

from tests.scenarios.world import POLICY, play
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code

_POLICY = POLICY.replace(
    '"/senml" = ["POST"]',
    '"/senml" = ["POST"]\n"/rd" = ["POST"]\n"/rd/own" = ["POST", "DELETE"]\n"/rd-lookup/ep" = ["GET"]\n'
    '"/rd-lookup/res" = ["GET"]\n"/.well-known/rd" = ["POST"]',
)


async def _found(world, thing, path, *query):
    answer = await world.ask(thing, request(Code.GET, path, query=query))
    assert answer.code == Code.CONTENT
    return answer.payload.decode()


@pytest.mark.spec("RFC 9176 5")
def test_things_register_when_they_join_and_find_each_other_after_a_restart():
    async def story(world):
        one, other = await world.joined("A0001", "A0002")
        directory = world.domain.controller.planes.directory
        await world.until(lambda: len(directory) == 2)
        links = await _found(world, one, "/rd-lookup/res", f"ep={other.id}", "href=/light")
        assert links == f"<coap://{other.address[0]}:5683/light>"
        await world.domain.crash()
        await world.domain.start()
        assert other.id in await _found(world, one, "/rd-lookup/ep", f"ep={other.id}")

    play(story, policy=_POLICY)


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("end", ["thing.retire", "thing.quarantine"])
def test_a_thing_that_is_out_is_not_found(end):
    async def story(world):
        one, other = await world.joined("A0001", "A0002")
        await world.until(lambda: len(world.domain.controller.planes.directory) == 2)
        name = other.id
        await world.domain.ask(end, thing=name)
        assert name not in await _found(world, one, "/rd-lookup/ep")

    play(story, policy=_POLICY)


@pytest.mark.requirement("R-34")
def test_no_thing_takes_the_name_of_another():
    async def story(world):
        one, other = await world.joined("A0001", "A0002")
        await world.until(lambda: len(world.domain.controller.planes.directory) == 2)
        answer = await world.ask(one, request(Code.POST, "/rd", query=(f"ep={other.id}",)))
        assert answer.code == Code.FORBIDDEN
        assert other.address[0] in await _found(world, one, "/rd-lookup/ep", f"ep={other.id}")

    play(story, policy=_POLICY)


@pytest.mark.spec("RFC 9176 5.1")
def test_a_thing_that_registers_simply_is_asked():
    async def story(world):
        one, _ = await world.joined("A0001", "A0002")
        answer = await world.ask(one, request(Code.POST, "/.well-known/rd", query=("ep=plain",)))
        assert answer.code == Code.CHANGED
        assert "plain" in await _found(world, one, "/rd-lookup/ep", "ep=plain")

    play(story, policy=_POLICY)


def test_who_may_not_register_does_not_try():
    async def story(world):
        await world.joined("A0001")
        await world.sleep(5)
        assert "forbidden" not in world.domain.controller.resources.refused

    play(story)
