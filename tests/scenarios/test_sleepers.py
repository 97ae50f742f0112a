"""What was decided while a thing slept reaches it when it wakes, the newest of it and nothing older (R-13).

::

    domain          sleeper                 the domain keeps what shall be, not messages: keys of an epoch,
      |--- keys 3 --->x  (radio off)        a release, a restriction; each replaces the one before, and is
      |--- keys 4 --->x                     handed over until the thing has confirmed it.
      |               |  (radio on)
      |--- keys 4 --->|  confirmed
"""

from contextlib import contextmanager

import pytest

from tests.scenarios.groups import commands, epochs, is_settled, lamps, record, switch
from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import play

HOUR = 3600


@contextmanager
def asleep(world, thing):
    """A thing whose radio is off: nothing reaches it, and nothing comes of it."""
    world.network.asleep.add(thing.address)
    yield
    world.network.asleep.discard(thing.address)


@pytest.mark.requirement("R-13")
def test_of_two_rekeys_in_its_sleep_a_lamp_gets_the_newest_keys_when_it_wakes():
    async def story(world):
        first, sleeper, one, other = await lamps(world, "A0001", "A0002", "A0003", "A0004")
        before = epochs(sleeper)
        with asleep(world, sleeper):
            await world.domain.ask("group.evict", group="lamps", thing=one.id)
            await world.sleep(HOUR)
            await world.domain.ask("group.evict", group="lamps", thing=other.id)
            await world.sleep(HOUR)
            assert epochs(sleeper) == before
        await world.until(lambda: epochs(sleeper) == [record(world).num])
        assert sorted((await switch(world))["answers"]) == sorted([first.id, sleeper.id])

    play(story)


@pytest.mark.requirement("R-13")
def test_what_waits_for_a_sleeper_outlives_the_controller():
    async def story(world):
        first, sleeper, evicted = await lamps(world, "A0001", "A0002", "A0003")
        with asleep(world, sleeper):
            await world.domain.ask("group.evict", group="lamps", thing=evicted.id)
            await world.domain.crash()
            await world.sleep(HOUR)
            await world.domain.start()
            await world.sleep(60)
        await world.until(lambda: is_settled(world, [first, sleeper]))
        assert epochs(sleeper) == [record(world).num]

    play(story)


@pytest.mark.requirement("R-13")
def test_a_command_that_was_given_in_its_sleep_is_not_obeyed_after_the_keys_that_followed_it():
    async def story(world):
        first, sleeper, evicted = await lamps(world, "A0001", "A0002", "A0003")
        sent = len(world.network.sent)
        with asleep(world, sleeper):
            await switch(world, "on")
            (missed,) = commands(world, sent)
            await world.domain.ask("group.evict", group="lamps", thing=evicted.id)
        await world.until(lambda: is_settled(world, [first, sleeper]))
        world.network.inject(missed)
        await world.sleep(5)
        assert (first.lamp.is_on(), sleeper.lamp.is_on()) == (True, False)

    play(story)


@pytest.mark.slow
@pytest.mark.requirement("R-13")
def test_of_two_releases_in_its_sleep_a_thing_installs_the_newest_when_it_wakes(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        (sleeper,) = await world.joined("A0001")
        with asleep(world, sleeper):
            await releases.publish(*releases.make(version="1.1.0", sequence_number=2))
            await world.sleep(HOUR)
            await releases.publish(*releases.make(version="1.2.0", sequence_number=3))
        seen = {version(sleeper)}

        def is_updated():
            seen.add(version(sleeper))
            return version(sleeper) == "1.2.0"

        await world.until(is_updated)
        assert seen == {"1.0.0", "1.2.0"}

    play(story)


@pytest.mark.requirement("R-13")
def test_what_was_held_against_a_thing_and_lifted_in_its_sleep_does_not_keep_it_out():
    async def story(world):
        (sleeper,) = await world.joined("A0001")
        name = sleeper.id
        with asleep(world, sleeper):
            await world.domain.ask("thing.quarantine", thing=name)
            await world.sleep(HOUR)
            await world.domain.ask("thing.restore", thing=name)
        taken = world.domain.controller.planes.data.accepted
        await world.until(lambda: world.domain.controller.planes.data.accepted > taken, within=600)

    play(story)


@pytest.mark.requirement("R-13")
def test_what_is_held_against_a_thing_since_its_sleep_began_is_in_force_when_it_wakes():
    async def story(world):
        (sleeper,) = await world.joined("A0001")
        name = sleeper.id
        with asleep(world, sleeper):
            await world.sleep(HOUR)
            await world.domain.ask("thing.quarantine", thing=name)
        taken = world.domain.controller.planes.data.accepted
        await world.sleep(600)
        assert world.domain.controller.planes.data.accepted == taken

    play(story)
