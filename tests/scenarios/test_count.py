"""Invariant: a rule with a count of ten has taken in ten, whoever comes together and wherever the controller dies."""

import random

import pytest

from tests.scenarios.world import POLICY, play
from thingstead.domain.lifecycle import LifecycleState

_COUNT = 10
_COUNTED = POLICY.replace('models = ["LX-*"]\n', f'models = ["LX-*"]\ncount = {_COUNT}\n')
_IN = {LifecycleState.OPERATIONAL, LifecycleState.MAINTENANCE, LifecycleState.RE_BOOTSTRAPPING}


def _taken_in(world):
    """Every thing that ever was let in by the rule, by the ledger as by the records."""
    things = [one for one in world.domain.controller.register.things() if one.joined_at is not None]
    joined = {one.thing for one in world.domain.entries() if one.cause == "joined"}
    assert {one.id for one in things} == joined
    return [one for one in things if one.state in _IN]


def _lives(deaths, comers, seed):
    async def story(world):
        chance = random.Random(seed)
        things = [world.thing(f"A{number:04}", retry_interval=0.5) for number in range(comers)]
        for thing in things:
            thing.start()
        for _ in range(deaths):
            fate = world.domain.fate
            fate.fatal = fate.instants + chance.randint(1, 12)
            await world.sleep(chance.uniform(0.1, 4))
            fate.fatal = None
            if not world.domain.is_up:
                await world.domain.start()
            assert len(_taken_in(world)) <= _COUNT
        await world.until(lambda: len(_taken_in(world)) == _COUNT, within=600)
        await world.sleep(30)
        assert len(_taken_in(world)) == _COUNT
        # One that leaves makes room for one.
        await world.domain.ask("thing.retire", thing=_taken_in(world)[0].id)
        await world.until(lambda: len(_taken_in(world)) == _COUNT, within=600)
        await world.sleep(20)
        assert len(_taken_in(world)) == _COUNT

    play(story, seed=seed, policy=_COUNTED, loss=0.05)


@pytest.mark.slow
@pytest.mark.requirement("R-03")
@pytest.mark.parametrize("seed", range(2))
def test_ten_are_in_and_never_eleven(seed):
    _lives(5, 12, seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(2, 22))
def test_ten_are_in_and_never_eleven_in_many_lives(seed):
    _lives(12, 16, seed)
