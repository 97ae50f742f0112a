"""A thing's first day: it joins, tells, and nothing is lost on a bad line."""

import pytest

from tests.scenarios.world import play
from thingstead.domain.lifecycle import LifecycleState


def test_three_things_join_and_report():
    async def story(world):
        things = await world.joined("A0001", "A0002", "A0003")
        assert {world.domain.record(thing.serial).state for thing in things} == {LifecycleState.OPERATIONAL}

    play(story)


@pytest.mark.parametrize("seed", range(5))
def test_a_line_that_loses_doubles_and_reorders_only_delays(seed):
    async def story(world):
        (thing,) = await world.joined("A0001")
        assert world.domain.record("A0001").id == thing.id

    play(story, seed=seed, loss=0.2, duplication=0.2, jitter=0.1)
