"""A data flow has the services that it declares: what is held back on the way does not pass for new (R-14)."""

import pytest

from tests.scenarios.world import POLICY, play

FRESH = POLICY + 'stale_after_seconds = 20\nneeds = ["staleness-detection"]\n'


async def held_back(world, seconds):
    """Keep what a thing says for so long, with nothing getting through meanwhile; returns the values taken of it."""
    (thing,) = await world.joined("A0001")
    kept, on_path = [], world.network.on_path

    def hold(datagram):
        if datagram.source == thing.address:
            kept.append(datagram)
        return ()

    world.network.on_path = hold
    await world.sleep(seconds)
    data = world.domain.controller.planes.data
    before = data.accepted
    world.network.on_path = on_path
    for datagram in kept:
        world.network.inject(datagram)
    return data.accepted - before


@pytest.mark.requirement("R-14")
def test_readings_that_somebody_held_back_are_refused_and_later_ones_taken():
    async def story(world):
        assert await held_back(world, 40) == 0
        assert world.domain.controller.resources.refused["stale"]
        taken = world.domain.controller.planes.data.accepted
        await world.until(lambda: world.domain.controller.planes.data.accepted > taken)

    play(story, policy=FRESH)


@pytest.mark.requirement("R-14")
def test_without_the_declaration_what_was_held_back_is_taken():
    """The control of the test above: the messages themselves verify."""

    async def story(world):
        assert await held_back(world, 40) > 0

    play(story)


@pytest.mark.requirement("R-14")
def test_a_thing_whose_series_nobody_declared_tells_nothing():
    async def story(world):
        world.thing("A0001").start()
        await world.until(lambda: world.domain.controller.resources.refused["undeclared"])
        assert world.domain.controller.planes.data.accepted == 0

    play(story, policy=POLICY.partition("[[series]]")[0])
