"""Everything that was ever on the wire comes again: at once, later, after a restart, and to whom it was not sent."""

from dataclasses import replace

import pytest

from tests.scenarios.world import play
from thingstead.domain.ledger.entry import Kind
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code

_LATER = 400.0
_DECISIONS = [kind for kind in Kind if kind is not Kind.REFUSAL]


async def _a_life(world):
    """Joins, readings, commands to a lamp and to a group, a quarantine, a join anew."""
    lamp, other = await world.joined("A0001", "A0002")
    server = world.domain.controller.server
    for state in (b"\xf5", b"\xf4", b"\xf5"):
        answer = await server.request(lamp.id, request(Code.PUT, "/light", payload=state))
        assert answer.code == Code.CHANGED
        await world.sleep(3)
    await world.domain.ask("thing.quarantine", thing=other.id)
    await world.sleep(5)
    await world.domain.ask("thing.restore", thing=other.id)
    await world.sleep(30)
    return lamp, other


def _state(world):
    """All that a message could change: decisions, states, what was collected, lamps, memories."""
    controller = world.domain.controller
    return (
        [one.cause for one in world.domain.entries(*_DECISIONS)],
        [(thing.state, thing.restriction, thing.version) for thing in controller.register.things()],
        controller.planes.data.accepted,
        [(thing.lamp.is_on(), thing.lamp.switched) for thing in world.things.values()],
        [thing.disk.get("association") for thing in world.things.values()],
    )


async def _come_again(world, recorded, **changes):
    for datagram in recorded:
        world.network.inject(replace(datagram, **changes))
        await world.sleep(0)
    await world.sleep(1)


async def _quiet(world):
    """Things fall silent, so that whatever changes from now on was changed by what comes again."""
    for thing in world.things.values():
        thing.agent.stories.stop_all(world.clock.now())
    await world.sleep(10)


@pytest.mark.requirement("R-15")
@pytest.mark.parametrize("pause", [0.0, _LATER])
def test_a_whole_life_that_comes_again_changes_nothing(pause):
    async def story(world):
        await _a_life(world)
        recorded = list(world.network.sent)
        await _quiet(world)
        await world.sleep(pause)
        before = _state(world)
        await _come_again(world, recorded)
        assert _state(world) == before

    play(story)


@pytest.mark.requirement("R-15")
def test_a_whole_life_that_comes_again_after_both_sides_lost_their_windows_changes_nothing():
    async def story(world):
        await _a_life(world)
        recorded = list(world.network.sent)
        await _quiet(world)
        await world.domain.crash()
        for thing in world.things.values():
            thing.crash()
        await world.domain.start()
        for thing in world.things.values():
            thing.start()
            thing.agent.stories.stop_all(world.clock.now())
        await world.sleep(_LATER)
        before = _state(world)
        await _come_again(world, recorded)
        assert _state(world) == before

    play(story)


@pytest.mark.requirement("R-15")
def test_what_was_said_to_one_thing_does_nothing_to_another():
    async def story(world):
        lamp, other = await _a_life(world)
        recorded = [one for one in world.network.sent if one.destination == lamp.address]
        await _quiet(world)
        before = _state(world)
        await _come_again(world, recorded, destination=other.address)
        assert _state(world) == before

    play(story)
