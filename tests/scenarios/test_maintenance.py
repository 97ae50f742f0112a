"""Maintenance at the controller and at the thing: one decision, one kind of entry, and nothing that goes unseen."""

from datetime import timedelta

import pytest

from tests.scenarios.maintainers import MAINTAINED, Person, orders
from tests.scenarios.world import play
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.protocols.profile import signed_request
from thingstead.protocols.profile.maintenance import Task

pytestmark = [pytest.mark.requirement("R-07"), pytest.mark.spec("RFC 8576 2")]

_ALL = (Task.BEGIN, Task.DIAGNOSE, Task.CONFIGURE, Task.UPDATE, Task.RESTART, Task.END)
_SETTINGS = {Task.CONFIGURE: {"telemetry_interval": 7.5}}


def cut(world, source, destination=None):
    """Nothing gets from one address to another any more; the other way too, if no destination is named."""
    domain = world.domain.address
    ways = {(source, destination)} if destination else {(source, domain), (domain, source)}
    world.network.on_path = lambda one: () if (one.source, one.destination) in ways else (one,)


def mend(world):
    """All ways are open."""
    world.network.on_path = lambda one: (one,)


def state(world, serial="A0001"):
    return world.domain.record(serial).state


async def _whole(give):
    return [await give(task, **_SETTINGS.get(task, {})) for task in _ALL]


def test_what_is_done_at_the_controller_and_before_the_thing_is_decided_and_told_alike():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        ben = Person(world)

        async def from_afar(task, **arguments):
            answer = await ben.ask(task.operation, thing=lamp.id, **arguments)
            assert "result" in answer, answer
            return answer["result"]

        results = await _whole(from_afar)
        assert results[1]["in_maintenance"] is True
        assert results[2] == {"telemetry_interval": 7.5}
        at_domain = orders(world)
        await ben.permitted(lamp)
        await world.domain.crash()
        assert [number for number, _ in await _whole(lambda task, **more: ben.order(lamp, task, **more))] == [
            *range(6, 12)
        ]
        await world.domain.start()
        await world.until(lambda: len(orders(world)) == 2 * len(_ALL))
        assert orders(world) == 2 * at_domain
        assert at_domain == [("maintainer:ben", task.value, None) for task in _ALL]
        # Both are signed by whoever did it, and anybody who has their key can check it.
        for one in world.domain.entries(Kind.MAINTENANCE):
            signed = signed_request.authenticate(one.details["signed"], ben.key.public, domain="home")
            assert (signed.operation, signed.arguments["thing"]) == (f"maintenance.{one.cause}", lamp.id)
        moves = [one for one in world.domain.entries(Kind.TRANSITION) if one.cause.startswith("maintenance-")]
        assert [(one.actor, one.cause) for one in moves] == 2 * [
            ("maintainer:ben", "maintenance-started"),
            ("maintainer:ben", "maintenance-finished"),
        ]
        assert state(world) is LifecycleState.OPERATIONAL

    play(story, policy=MAINTAINED)


@pytest.mark.parametrize("role", ["user", "auditor"])
def test_who_does_not_maintain_is_refused_at_the_controller_and_gets_no_permit(role):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        dora = Person(world, "dora", role)
        for task in _ALL:
            answer = await dora.ask(task.operation, thing=lamp.id, **_SETTINGS.get(task, {}))
            assert answer["error"]["kind"] == "RoleError"
        refused = await world.domain.answer("maintenance.permit", name="dora", things=[lamp.id])
        assert refused["error"]["kind"] == "RoleError"
        assert (await dora.ask("maintenance.permit", name="dora", things=[lamp.id]))["error"]["kind"] == "RoleError"
        assert orders(world) == []
        assert state(world) is LifecycleState.OPERATIONAL

    play(story, policy=MAINTAINED)


def test_an_installer_and_another_thing_maintain_nothing():
    async def story(world):
        lamp, other = await world.joined("A0001", "A0002")
        ben, eve = Person(world), Person(world, "eve")
        file = await ben.permitted(lamp)
        # Somebody else's permit, and a permit for another thing.
        eve.carry(file)
        assert isinstance(await eve.order(lamp, Task.BEGIN), str)
        assert await ben.order(other, Task.BEGIN) == "config"
        assert not lamp.agent.maintenance.is_open
        assert orders(world) == []

    play(story, policy=MAINTAINED)


@pytest.mark.parametrize("task", [Task.RESTART, Task.UPDATE, Task.CONFIGURE, Task.END])
def test_work_on_a_thing_that_is_not_in_maintenance_is_refused_at_both_places(task):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        ben = Person(world)
        await ben.permitted(lamp)
        settings = _SETTINGS.get(task, {})
        assert (await ben.ask(task.operation, thing=lamp.id, **settings))["error"]["kind"] == "TransitionError"
        assert await ben.order(lamp, task, **settings) == "4.09"
        assert orders(world) == []

    play(story, policy=MAINTAINED)


def test_a_permit_is_for_its_tasks_and_its_time_and_ends_when_it_is_taken_back():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        ben = Person(world)
        await ben.permitted(lamp, tasks=["diagnose"], hours=1)
        assert (await ben.order(lamp, Task.DIAGNOSE))[0] == 0
        assert await ben.order(lamp, Task.BEGIN) == "4.03"
        world.clock.skew += timedelta(hours=2)
        assert await ben.order(lamp, Task.DIAGNOSE) == "expired"
        await ben.permitted(lamp)
        assert (await ben.order(lamp, Task.DIAGNOSE))[0] == 1
        await world.domain.ask("maintenance.withdraw", name="ben")
        await world.until(lambda: not lamp.agent.peer_server.sessions())
        assert isinstance(await ben.order(lamp, Task.DIAGNOSE), str)
        assert lamp.agent.maintenance.status()["orders"] == 2

    play(story, policy=MAINTAINED)


def test_what_was_done_under_a_permit_that_was_taken_back_meanwhile_is_told_as_such():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        ben = Person(world)
        await ben.permitted(lamp)
        cut(world, lamp.address)
        await world.domain.ask("maintenance.withdraw", name="ben")
        await world.sleep(2)
        assert (await ben.order(lamp, Task.BEGIN))[0] == 0
        mend(world)
        await world.until(lambda: orders(world), within=300)
        assert orders(world) == [("maintainer:ben", "begin", "revoked")]
        assert state(world) is LifecycleState.OPERATIONAL

    play(story, policy=MAINTAINED)


def test_orders_that_are_lost_on_the_way_to_the_ledger_are_missed_by_their_numbers():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        ben = Person(world)
        await ben.permitted(lamp)
        await world.domain.crash()
        for _ in range(70):
            assert len(await ben.order(lamp, Task.DIAGNOSE)) == 2
        await world.domain.start()
        # The first was under way when the domain fell; a thing keeps 64 more.
        await world.until(lambda: len(orders(world)) == 66)
        assert orders(world)[1] == (f"thing:{lamp.id}", "missing", None)
        told = await world.domain.ask("maintenance.show", thing=lamp.id)
        assert (told["missing"], told["orders_told"]) == (["1 to 5"], 70)

    play(story, policy=MAINTAINED)


def test_a_journal_outlives_power_cuts_on_both_sides_and_nothing_is_told_twice():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        ben = Person(world)
        await ben.permitted(lamp)
        await world.domain.crash()
        await ben.order(lamp, Task.BEGIN)
        lamp.crash()
        lamp.start()
        assert lamp.agent.maintenance.is_open
        await ben.order(lamp, Task.RESTART)
        for _ in range(3):
            await world.domain.start()
            await world.sleep(0.3)
            await world.domain.crash()
        await world.domain.start()
        await world.sleep(30)
        assert orders(world) == [("maintainer:ben", "begin", None), ("maintainer:ben", "restart", None)]
        assert state(world) is LifecycleState.MAINTENANCE

    play(story, policy=MAINTAINED)


def test_an_order_whose_answer_was_lost_is_told_with_who_asked_for_it():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        ben = Person(world)
        cut(world, lamp.address, world.domain.address)
        refused = await ben.ask("maintenance.begin", thing=lamp.id)
        assert refused["error"]["kind"] == "TransportError"
        assert state(world) is LifecycleState.OPERATIONAL
        assert lamp.agent.maintenance.is_open
        mend(world)
        await world.until(lambda: state(world) is LifecycleState.MAINTENANCE, within=300)
        assert [who for who, *_ in orders(world)] == ["maintainer:ben"] * 2

    play(story, policy=MAINTAINED)
