"""A thing was off for longer than anything it holds is good for, or has lost its clock: it finds its domain again."""

from datetime import timedelta

import pytest

from tests.scenarios.world import play
from thingstead.agent import ownership
from thingstead.crypto.key import KeyType
from thingstead.identifier import KeyId
from thingstead.protocols.profile.birth import BIRTH
from thingstead.simulator.virtual.memory import Fate, HomeLife

pytestmark = pytest.mark.requirement("R-74")

YEARS = 2 * 365 * 86_400.0
"""Past its token (7 days), its credential (90 days) and its maker's voucher (a year)."""


async def years_pass(world):
    world.jump(YEARS)
    await world.sleep(2)


async def is_in_again(world, thing):
    readings = world.domain.controller.planes.data.accepted
    await world.until(lambda: thing.is_joined and world.domain.controller.planes.data.accepted > readings, within=120)
    assert thing.agent.member.renewal > thing.agent.utc()


@pytest.mark.parametrize("has_clock", [True, False], ids=["with a clock", "without"])
@pytest.mark.parametrize("by", ["sleep", "crash"])
def test_a_thing_that_was_away_for_years_joins_without_its_makers_word(by, has_clock):
    async def story(world):
        (lamp,) = await world.joined("A0001", has_clock=has_clock)
        getattr(lamp, by)()
        await years_pass(world)
        lamp.wake() if by == "sleep" else lamp.start()
        await is_in_again(world, lamp)

    play(story)


@pytest.mark.parametrize("years", [-26, 9], ids=["back at 2000", "nine years ahead"])
def test_a_thing_whose_clock_went_wrong_goes_by_what_its_domain_says(years):
    async def story(world):
        lamp = world.thing("A0001")
        lamp.clock = world.clock_of_its_own()
        lamp.start()
        await world.until(lambda: lamp.has_reported)
        lamp.crash()
        lamp.clock.skew = timedelta(days=365 * years)
        lamp.start()
        await is_in_again(world, lamp)
        assert abs(lamp.agent.utc() - world.clock.utc()) < timedelta(minutes=1)

    play(story)


def test_a_clock_that_begins_in_the_past_lets_a_thing_in_for_the_first_time_too():
    async def story(world):
        lamp = world.thing("A0001")
        lamp.clock = world.clock_of_its_own()
        lamp.clock.skew = timedelta(days=-365 * 26)
        lamp.start()
        await world.until(lambda: lamp.has_reported)

    play(story)


def test_no_other_domain_gets_such_a_thing():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        lamp.crash()
        await years_pass(world)
        await world.domain.crash()
        world.domain.keys.delete(KeyId("domain"))
        world.domain.keys.create(KeyId("domain"), KeyType.P256)
        await world.domain.start()
        lamp.start()
        await world.sleep(60)
        assert not lamp.is_joined
        assert "voucher" in lamp.agent.status()["last_error"]

    play(story)


def test_a_thing_that_was_wiped_knows_no_domain_of_before():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        assert lamp.agent.former_domain() == world.domain.public
        await world.domain.ask("thing.retire", thing=lamp.id)
        assert lamp.agent.former_domain() is None
        assert BIRTH in lamp.disk

    play(story)


def test_a_thing_that_was_reset_by_hand_knows_no_domain_of_before():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        lamp.crash()
        other = world.makers["acme"].anchor.public
        ownership.claim(HomeLife(lamp.disk, Fate()), lamp.keys, other)
        await years_pass(world)
        lamp.start()
        assert lamp.agent.former_domain() is None
        await world.sleep(30)
        assert not lamp.is_joined

    play(story)


def test_who_was_retired_meanwhile_does_not_come_back():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        name = lamp.id
        lamp.crash()
        await world.domain.ask("thing.retire", thing=name)
        await years_pass(world)
        lamp.start()
        await world.sleep(60)
        assert not world.domain.controller.server.is_live(name)
        assert world.domain.record("A0001").state == "decommissioned"

    play(story)
