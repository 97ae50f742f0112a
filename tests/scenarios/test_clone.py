"""Two live things under one identity are found; one that moves or restarts is not."""

import pytest

from tests.scenarios.world import play
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Restriction


def a_copy_of(world, thing):
    """Another thing somewhere else, with everything that the first one holds."""
    copy = world.thing(f"{thing.serial}-copy")
    copy.disk, copy.keys = dict(thing.disk), thing.keys
    return copy


def alarms(world):
    return [one for one in world.domain.entries(Kind.ALARM) if one.cause == "clone"]


@pytest.mark.slow
@pytest.mark.requirement("R-21")
@pytest.mark.parametrize("seed", range(3))
def test_a_copy_of_a_living_thing_has_both_cut_off_and_alarms(seed):
    async def story(world):
        lamp, other = await world.joined("A0001", "A0002")
        identifier = lamp.id
        copy = a_copy_of(world, lamp)
        copy.start()
        await world.until(lambda: alarms(world), within=600)
        (alarm,) = alarms(world)
        assert alarm.thing == identifier
        assert all(str(one.address) in alarm.details["places"] for one in (lamp, copy))
        await world.until(lambda: world.domain.record("A0001").restriction is Restriction.QUARANTINED)
        taken = world.domain.controller.planes.data.latest(identifier)
        await world.sleep(300)
        assert world.domain.controller.planes.data.latest(identifier) == taken
        assert not world.domain.controller.server.is_live(identifier)
        assert other.is_joined
        assert world.domain.record("A0002").restriction is Restriction.NONE

    play(story, seed=seed)


@pytest.mark.requirement("R-21")
@pytest.mark.parametrize("seed", range(3))
def test_a_thing_that_restarts_forgets_moves_and_roams_is_one_thing(seed):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        born = {name: lamp.disk[name] for name in ("birth",)}
        for step, address in enumerate(["192.0.2.1", "192.0.2.77", "192.0.2.77", "192.0.2.78", "192.0.2.1"]):
            lamp.crash()
            if step % 2:
                lamp.disk.clear()
                lamp.disk.update(born)
            lamp.address = (address, 5683)
            lamp.start()
            await world.until(lambda: lamp.has_reported, within=300)
            await world.sleep(world.random.uniform(0, 40))
        assert alarms(world) == []
        assert world.domain.record("A0001").restriction is Restriction.NONE

    play(story, seed=seed, loss=0.1, duplication=0.2, jitter=0.05)


@pytest.mark.slow
def test_a_thing_that_was_found_twice_is_let_in_again_by_a_person():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        identifier = lamp.id
        copy = a_copy_of(world, lamp)
        copy.start()
        await world.until(lambda: alarms(world), within=600)
        copy.crash()
        await world.sleep(5)
        await world.domain.ask("thing.restore", thing=identifier)
        told = world.domain.controller.planes.data.accepted
        await world.until(lambda: world.domain.controller.planes.data.accepted > told, within=600)
        await world.sleep(300)
        assert len(alarms(world)) == 1
        assert world.domain.record("A0001").restriction is Restriction.NONE

    play(story)
