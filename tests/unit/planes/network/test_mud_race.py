"""Who is cut off while servers answer, or while others have their turn, stays cut off."""

import asyncio

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import CLOUD, PEERS, URL, World, described
from tests.unit.planes.network.test_learned_names import told
from thingstead.enforcement.dry_run import DryRun
from thingstead.errors import TransportError

THING, PEER = a_thing(), a_thing(1)
OPEN = ("198.51.100.7/32", 6, 443)
pytestmark = [pytest.mark.requirement("R-80"), pytest.mark.spec("RFC 8576 4.5")]


class Meanwhile:
    """Cuts a thing off before the first answer of a part is there."""

    def __init__(self, world, part, method, *, who=THING):
        self.world, self.original, self.who = world, getattr(part, method), [who]
        setattr(part, method, self)

    async def __call__(self, *given, **named):
        answer = await self.original(*given, **named)
        while self.who:
            await self.world.restrict(self.who.pop())
        return answer


class Refusing(DryRun):
    """An enforcer that is gone."""

    async def apply(self, change):
        raise TransportError("the enforcer is gone")


def play(story, *services, learns=False, who=THING):
    world = World(*services or (CLOUD,), learns=learns, at_once=1)

    async def run():
        await world.admit(THING)
        await world.admit(PEER)
        await story(world)
        return await world.kernel.standing(who.id)

    standing = asyncio.run(run())
    assert (standing.barred, standing.admitted) == (True, False)


def test_while_a_file_is_fetched():
    async def story(world):
        await world.clock.wait(200 * 3600)
        Meanwhile(world, world.web, "fetch")
        with pytest.raises(TransportError, match="cut off while servers answered"):
            await world.admit(THING)

    play(story)


def test_while_a_name_is_asked_for():
    async def story(world):
        await world.clock.wait(3600)
        Meanwhile(world, world.dns, "resolve")
        with pytest.raises(TransportError):
            await world.admit(THING)

    play(story)


def test_while_a_file_of_the_owner_s_is_put_in_force():
    async def story(world):
        await world.clock.wait(3600)
        Meanwhile(world, world.dns, "resolve")
        world.library.vouch = lambda document: asyncio.sleep(0, URL)
        await world.manager.vouch(described(CLOUD))

    play(story)


def test_while_the_file_of_a_release_is_put_in_force():
    async def story(world):
        await world.clock.wait(3600)
        Meanwhile(world, world.dns, "resolve")
        assert await world.manager.release(THING.id, described(CLOUD))

    play(story)


def test_while_what_was_due_is_put_in_force_for_others():
    async def story(world):
        await world.clock.wait(3600)
        Meanwhile(world, world.kernel, "apply", who=PEER)
        await world.manager.refresh()

    play(story, who=PEER)


def test_while_a_new_neighbour_is_put_in_force_for_others():
    async def story(world):
        Meanwhile(world, world.kernel, "apply", who=PEER)
        await world.admit(THING)

    play(story, CLOUD, PEERS, who=PEER)


def test_while_an_answer_is_on_its_way():
    async def story(world):
        await world.restrict(THING)
        await world.manager.learn(told("198.51.100.7"))
        await world.manager.learn(told("198.51.100.7", asker=""))
        await world.manager.refresh()
        assert OPEN in world.kernel.rules(PEER.id)

    play(story, learns=True)


def test_what_the_enforcer_refused_at_a_renewal_is_done_at_the_next_for_all():
    world = World(CLOUD, learns=True)

    async def run():
        await world.admit(THING)
        await world.admit(PEER)
        await world.manager.learn(told("198.51.100.7", asker=""))
        enforcement, world.manager._keeper._enforcement = world.kernel, Refusing("a test")
        with pytest.raises(TransportError):
            await world.manager.refresh()
        world.manager._keeper._enforcement = enforcement
        await world.manager.refresh()
        assert all(OPEN in world.kernel.rules(one.id) for one in (THING, PEER))

    asyncio.run(run())
