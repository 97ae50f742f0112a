"""Names learned from what things are told: open to who asked, before it knows, for as long as it may use it."""

import asyncio
from ipaddress import ip_address

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import CLOUD, World
from thingstead.domain.name import NameAnswer
from thingstead.errors import TransportError
from thingstead.planes.network.alarm import AlarmKind

THING, PEER = a_thing(), a_thing(1)
OPEN = ("198.51.100.7/32", 6, 443)


def told(*addresses, name="cloud.acme.example", ttl=60, asker="10.77.1.1"):
    found = tuple([(ip_address(one).packed, ttl) for one in addresses])
    return NameAnswer(name, found, (), ip_address(asker).packed if asker else b"")


def play(story, **given):
    world = World(CLOUD, learns=True, **given)

    async def run():
        await world.admit(THING)
        await world.admit(PEER)
        await story(world)

    asyncio.run(run())
    assert world.dns.asked == [], "the plane asked for itself"


@pytest.mark.spec("RFC 9726 3")
@pytest.mark.requirement("R-80")
def test_the_way_to_a_name_is_open_from_the_answer_on_and_for_who_asked_alone():
    async def story(world):
        assert OPEN not in world.kernel.rules(THING.id)
        await world.manager.learn(told("198.51.100.7"))
        assert OPEN in world.kernel.rules(THING.id)
        assert OPEN not in world.kernel.rules(PEER.id)
        lifetimes = {str(rule.remote): rule.lifetime for rule in world.kernel.applied[-1].rules}
        assert lifetimes["198.51.100.7/32"] == 75

    play(story)


@pytest.mark.spec("RFC 9726 3")
@pytest.mark.requirement("R-80")
def test_the_way_to_a_name_is_closed_when_what_was_told_has_run_out():
    async def story(world):
        await world.manager.learn(told("198.51.100.7"))
        await world.clock.wait(74)
        await world.manager.refresh()
        assert OPEN in world.kernel.rules(THING.id)
        await world.clock.wait(1)
        await world.manager.refresh()
        assert OPEN not in world.kernel.rules(THING.id)

    play(story)


def test_a_resolver_that_asks_for_all_opens_the_way_for_all():
    async def story(world):
        await world.manager.learn(told("198.51.100.7", asker=""))
        assert OPEN not in world.kernel.rules(THING.id)
        await world.manager.refresh()
        assert OPEN in world.kernel.rules(THING.id)
        assert OPEN in world.kernel.rules(PEER.id)

    play(story)


@pytest.mark.parametrize("stranger", ["10.77.0.1", "10.77.9.9", "fd77::9"])
def test_a_stranger_that_asks_for_a_name_of_a_thing_opens_nothing(stranger):
    async def story(world):
        await world.manager.learn(told("198.51.100.7", asker=stranger))
        await world.manager.refresh()
        assert world.manager.names() == ()
        assert OPEN not in world.kernel.rules(THING.id)

    play(story)


def test_a_name_that_no_file_has_opens_nothing_and_is_not_kept():
    async def story(world):
        before = len(world.kernel.applied)
        await world.manager.learn(told("198.51.100.7", name="evil.invalid"))
        assert (len(world.kernel.applied), world.manager.names()) == (before, ())

    play(story)


@pytest.mark.requirement("R-80")
def test_an_answer_that_points_at_a_neighbour_opens_nothing():
    async def story(world):
        before = len(world.kernel.applied)
        await world.manager.learn(told("10.77.1.2"))
        assert len(world.kernel.applied) == before
        assert [alarm.kind for alarm in world.alarms] == [AlarmKind.NAME_POINTS_INSIDE]

    play(story)


def test_who_is_barred_opens_nothing_by_asking():
    async def story(world):
        await world.restrict(THING)
        await world.manager.learn(told("198.51.100.7"))
        assert (await world.kernel.standing(THING.id)).barred

    play(story)


def test_a_thing_whose_rules_cannot_be_changed_is_not_told():
    async def story(world):
        async def refuse(_change):
            raise TransportError("the enforcer is gone")

        world.kernel.apply = refuse
        with pytest.raises(TransportError):
            await world.manager.learn(told("198.51.100.7"))

    play(story)


def test_names_of_who_left_are_forgotten():
    async def story(world):
        await world.manager.learn(told("198.51.100.7"))
        assert [one.name for one in world.manager.names()] == ["cloud.acme.example"]
        await world.withdraw(THING)
        await world.withdraw(PEER)
        await world.manager.refresh()
        assert world.manager.names() == ()

    play(story)
