"""Joining again: what a member does when its grant has run out, and what it may never do with its old keys."""

from datetime import timedelta

import pytest

from tests.scenarios.nonces import watched_nonces
from tests.scenarios.world import play
from thingstead.domain.ledger.entry import Kind

_RUN_OUT = timedelta(days=91)


def _joins(world):
    return sum(one.cause == "joined" for one in world.domain.entries(Kind.TRANSITION))


async def _told_again(world, thing):
    told = world.domain.controller.planes.data.accepted
    await world.until(lambda: thing.is_joined and world.domain.controller.planes.data.accepted > told, within=300)


def test_a_member_whose_token_ran_out_joins_again_by_itself():
    async def story(world):
        (thing,) = await world.joined("A0001")
        identifier = thing.id
        world.clock.skew += _RUN_OUT
        await _told_again(world, thing)
        assert (thing.id, _joins(world)) == (identifier, 2)

    play(story)


def test_a_member_that_slept_past_the_end_of_its_token_joins_again():
    async def story(world):
        (thing,) = await world.joined("A0001")
        thing.crash()
        world.clock.skew += _RUN_OUT
        thing.start()
        await _told_again(world, thing)
        assert _joins(world) == 2

    play(story)


@pytest.mark.requirement("R-26")
@pytest.mark.parametrize("instant", range(1, 9))
def test_a_thing_that_dies_while_it_joins_again_repeats_no_nonce_under_its_old_keys(instant):
    async def story(world):
        (thing,) = await world.joined("A0001")
        thing.fate.fatal = thing.fate.instants + instant
        world.clock.skew += _RUN_OUT
        await world.sleep(60)
        thing.fate.fatal = None
        if not thing.is_up:
            thing.start()
        await _told_again(world, thing)

    with watched_nonces() as nonces:
        play(story)
    assert nonces.repeated == []


@pytest.mark.parametrize("damage", [b"", b"\xff", bytes(40)])
def test_a_thing_whose_memory_of_its_join_is_damaged_joins_again(damage):
    async def story(world):
        (thing,) = await world.joined("A0001")
        thing.crash()
        thing.disk["association"] = damage
        thing.start()
        await _told_again(world, thing)

    play(story)
