"""From a decision to the last acceptance by anybody, measured where it is accepted; and that nothing comes after it."""

import asyncio

import pytest

from tests.scenarios.kill import killed, pairs
from tests.scenarios.peers import HOURS, PEERS
from tests.scenarios.world import play
from thingstead.domain.lifecycle import Restriction
from thingstead.simulator.virtual.network import Datagram

_FULL = pytest.param(500, 100, marks=[pytest.mark.full, pytest.mark.timeout(1200)])
_GROUP = '"/ace-group/lamps" = ["GET", "POST", "FETCH"]\n'


def _policy(count):
    """Without the group where there are many: a rekey in one process is the work of all its members."""
    return PEERS if count < 50 else PEERS.replace(_GROUP, "")


async def _kills(world, made, count, watch=30.0):
    chosen = made[:count]
    return await asyncio.gather(
        *[killed(world, pair, after=world.random.uniform(0, 5), watch=watch) for pair in chosen]
    )


@pytest.mark.slow
@pytest.mark.requirement("R-09")
@pytest.mark.parametrize(("count", "kills"), [(4, 2), _FULL])
def test_on_a_line_that_loses_nothing_the_last_acceptance_is_what_was_on_its_way(count, kills):
    async def story(world):
        found = await _kills(world, await pairs(world, count, busy=kills), kills)
        assert max(one.peer for one in found) < 0.1
        assert max(one.domain for one in found) < 0.1
        assert all(one.bound is None and one.peer <= one.told + 0.001 < 0.2 for one in found)

    play(story, policy=_policy(count))


@pytest.mark.slow
@pytest.mark.requirement("R-09")
@pytest.mark.parametrize(("count", "kills"), [(6, 6), _FULL])
def test_on_a_line_that_loses_one_in_five_peers_hear_of_it_before_they_look_by_themselves(count, kills):
    async def story(world):
        made = await pairs(world, count, busy=kills)
        world.network.loss = 0.2
        found = sorted(one.peer for one in await _kills(world, made, kills, watch=59.0))
        assert found[len(found) // 2] < 3
        assert found[-1] < 50
        assert all(one.domain < 0.1 for one in await _kills(world, made[kills:], 1, watch=1.0))

    play(story, policy=_policy(count))


@pytest.mark.slow
@pytest.mark.requirement("R-09")
def test_a_peer_that_nobody_reaches_accepts_for_as_long_as_the_token_lives_and_no_longer():
    async def story(world):
        made = await pairs(world, 1, every=300.0)
        ((sensor, lamp),) = made
        cut = {world.domain.address, lamp.address}
        world.network.on_path = lambda one: () if {one.source, one.destination} == cut else (one,)
        ends = sensor.agent.peer_client.tokens()[lamp.id]
        left = (ends - world.clock.utc()).total_seconds()
        (found,) = await _kills(world, made, 1, watch=left + 600)
        assert HOURS * 1800 < found.peer <= left
        assert found.domain < 0.1
        # Told to whoever decided, within seconds, and kept: not a moment less than was true in the end.
        assert found.bound is not None
        assert found.peer <= found.bound <= left + 1

    play(story, policy=PEERS)


@pytest.mark.slow
@pytest.mark.requirement("R-09")
def test_a_peer_that_slept_through_it_learns_of_it_when_it_wakes():
    async def story(world):
        made = await pairs(world, 1, every=2.0)
        ((_, lamp),) = made
        world.network.asleep.add(lamp.address)
        (found,) = await _kills(world, made, 1, watch=90.0)
        assert found.peer < 0.1
        assert found.bound is not None
        assert found.bound > HOURS * 1800
        woke = world.clock.now()
        world.network.asleep.discard(lamp.address)
        await world.sleep(150)
        # It looks for itself each minute, whatever it slept through.
        assert lamp.lamp.accepted[-1] - woke < 65

    play(story, policy=PEERS)


@pytest.mark.slow
@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("attempts", [2_000, pytest.param(1_000_000, marks=pytest.mark.full)])
def test_of_what_is_tried_afterwards_nothing_is_accepted(attempts):
    async def story(world):
        made = await pairs(world, 1)
        ((sensor, lamp),) = made
        await world.sleep(60)
        said = [one for one in world.network.sent if one.source == sensor.address]
        await _kills(world, made, 1, watch=5.0)
        said += [one for one in world.network.sent if one.source == sensor.address][len(said) :]
        switched, heard = lamp.lamp.switched, world.domain.controller.server.last_acceptance(sensor.id)
        identifier = sensor.id
        sensor.crash()
        for number in range(attempts):
            one = said[number % len(said)]
            world.network.inject(Datagram(world.clock.now(), one.source, one.destination, one.data))
            if not number % 500:
                await world.sleep(0.05)
        await world.sleep(60)
        assert lamp.lamp.switched == switched
        assert world.domain.controller.server.last_acceptance(identifier) == heard

    play(story, policy=PEERS)


@pytest.mark.slow
@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("seed", [*range(4), *[pytest.param(seed, marks=pytest.mark.full) for seed in range(4, 200)]])
def test_a_controller_that_dies_in_the_middle_of_it_finishes_it_when_it_is_back(seed):
    async def story(world):
        made = await pairs(world, 1, every=1.0)
        ((sensor, lamp),) = made
        identifier, fate = sensor.id, world.domain.fate
        fate.fatal = fate.instants + 1 + seed % 20
        answer = await world.domain.answer("thing.quarantine", thing=identifier)
        await world.sleep(world.random.uniform(0, 2))
        fate.fatal = None
        if not world.domain.is_up:
            await world.domain.start()
        decided = world.domain.record("B0").restriction is Restriction.QUARANTINED
        assert decided or "result" not in answer
        await world.sleep(120)
        if decided:
            switched = lamp.lamp.switched
            await world.sleep(60)
            assert lamp.lamp.switched == switched
            assert not world.domain.controller.server.is_live(identifier)
            assert world.domain.controller.register.obligations(identifier) == ()

    play(story, policy=PEERS, seed=seed)
