"""Invariant: a file that the owner vouches for is in force at once, and a bad one changes nothing."""

import asyncio

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import CLOUD, World, described
from thingstead.errors import DecodeError, PolicyError

URL = "https://02-77-00-00-00-01.invalid/learned.json"
THING = a_thing(7, mud_url=URL)
CLOUD_FLOW = ("198.51.100.7/32", 6, 443)


@pytest.mark.requirement("R-81")
def test_another_file_of_the_owners_is_in_force_at_once():
    world = World()

    async def story():
        await world.manager.vouch(described(url=URL))
        await world.admit(THING)
        assert CLOUD_FLOW not in world.kernel.rules(THING.id)
        await world.manager.vouch(described(CLOUD, url=URL))
        assert CLOUD_FLOW in world.kernel.rules(THING.id)

    asyncio.run(story())


@pytest.mark.requirement("R-81")
def test_that_profiles_are_learned_is_shown_by_one_that_is_in_force_and_by_no_makers():
    world = World(CLOUD)
    world.kernel.mode = "nftables"

    async def story():
        await world.admit(a_thing())
        (before,) = world.manager.findings("R-81")
        assert (before.holds, "1 by a MUD file of their maker, 0 by one of the owner's" in before.evidence) == (
            False,
            True,
        )
        await world.manager.vouch(described(CLOUD, url=URL))
        await world.admit(THING)
        (after,), (bound,) = world.manager.findings("R-81"), world.manager.findings("R-34")
        assert (after.holds, "1 by one of the owner's" in after.evidence) == (True, True)
        assert bound.evidence == after.evidence

    asyncio.run(story())


@pytest.mark.parametrize(("document", "error"), [(b"{}", DecodeError), (described(CLOUD), PolicyError)])
def test_a_file_of_the_owners_that_is_none_changes_nothing(document, error):
    world = World()

    async def story():
        await world.manager.vouch(described(url=URL))
        await world.admit(THING)
        before = world.kernel.rules(THING.id)
        with pytest.raises(error):
            await world.manager.vouch(document)
        assert world.kernel.rules(THING.id) == before

    asyncio.run(story())
