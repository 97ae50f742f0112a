"""Things that nobody looks after are noticed: who falls silent, whose support ends, who is on the link unasked."""

from datetime import timedelta
from ipaddress import ip_address

import pytest

from tests.scenarios.world import POLICY, play
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.network import ThingAddress

EVERY_MINUTE = POLICY + "every_seconds = 60\n"
STRANGER = ThingAddress(bytes.fromhex("0a0000000009"), ip_address("192.0.2.99"))


async def forgotten(world):
    return [(one["neglect"], one["thing"]) for one in await world.domain.ask("thing.forgotten")]


def told(world):
    return [(one.thing, one.cause) for one in world.domain.entries(Kind.NEGLECT)]


@pytest.mark.requirement("R-12")
def test_a_thing_that_falls_silent_is_listed_and_told_to_the_ledger_once():
    async def story(world):
        quiet, _lively = await world.joined("A0001", "A0002")
        name = quiet.id
        quiet.crash()
        await world.sleep(170)
        assert await forgotten(world) == []
        await world.sleep(200)
        assert await forgotten(world) == [("silent", name)]
        await world.sleep(600)
        assert told(world) == [(name, "silent")]
        assert (await world.domain.ask("status"))["forgotten"] == {"silent": 1}
        quiet.start()
        await world.sleep(70)
        assert await forgotten(world) == []
        assert (await world.domain.ask("status"))["forgotten"] == {}
        quiet.crash()
        await world.sleep(400)
        assert told(world) == [(name, "silent")] * 2

    play(story, policy=EVERY_MINUTE)


@pytest.mark.requirement("R-12")
def test_without_a_word_of_the_policy_the_settings_say_how_long_silence_may_last():
    async def story(world):
        (quiet,) = await world.joined("A0001")
        name = quiet.id
        quiet.crash()
        await world.sleep(3 * 3600 - 60)
        assert await forgotten(world) == []
        await world.sleep(180)
        assert await forgotten(world) == [("silent", name)]

    play(story)


def test_after_a_restart_a_thing_has_its_whole_time_again():
    async def story(world):
        (quiet,) = await world.joined("A0001")
        name = quiet.id
        quiet.crash()
        await world.sleep(170)
        await world.domain.crash()
        await world.domain.start()
        await world.sleep(170)
        assert await forgotten(world) == []
        await world.sleep(20)
        assert await forgotten(world) == [("silent", name)]

    play(story, policy=EVERY_MINUTE)


@pytest.mark.requirement("R-12")
def test_a_thing_whose_support_has_ended_is_listed_and_goes_on():
    async def story(world):
        (old,) = await world.joined("A0001")
        world.clock.skew = timedelta(days=365 * 6)
        assert ("unsupported", old.id) in await forgotten(world)

    play(story)


@pytest.mark.requirement("R-12")
def test_who_is_on_the_link_unasked_is_listed_and_does_not_fill_the_ledger():
    async def story(world):
        world.domain.segment.present = (ThingAddress(bytes.fromhex("020000000001"), ip_address("192.0.2.1")), STRANGER)
        await world.joined("A0001")
        (one,) = await world.domain.ask("thing.forgotten")
        assert (one["neglect"], one["thing"]) == ("unmanaged", None)
        assert one["detail"] == "0a:00:00:00:00:09 at 192.0.2.99"
        await world.sleep(300)
        assert told(world) == []

    play(story)
