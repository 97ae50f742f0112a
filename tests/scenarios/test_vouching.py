"""A thing that was made before it was sold: its maker's server says whose it is, and nobody else does."""

from __future__ import annotations

from tests.scenarios.makers import LivingMasa
from tests.scenarios.world import play


async def supplied(world):
    """A domain that was given the card of a maker's server."""
    masa = LivingMasa(world)
    await world.domain.crash()
    await world.domain.start()
    return masa


def test_a_thing_joins_whoever_its_makers_server_says_it_was_sold_to():
    async def story(world):
        masa = await supplied(world)
        lamp = world.thing("A0001", sold_to=masa.card)
        masa.sell(lamp, world.domain)
        lamp.start()
        await world.until(lambda: lamp.is_joined and lamp.has_reported)
        assert (await world.domain.ask("status"))["makers"] == {"acme": {"vouched": 1}}

    play(story)
