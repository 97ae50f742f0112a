"""A whole domain: an alarm cuts a thing off on all six planes, one command takes it back; the owner's word counts."""

import pytest

from tests.scenarios.world import play
from tests.unit.controller.test_response import DETECTION
from thingstead.analysis.detectors.detector import Detection
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName
from thingstead.errors import ThingsteadError


def seen(world, thing) -> Detection:
    now = world.domain.controller.foundation.clock.utc().timestamp()
    values = {name: getattr(DETECTION, name) for name in Detection.__slots__}
    return Detection(**(values | {"thing": thing, "first": now - 1, "last": now}))


async def standings(world, thing):
    shown = await world.domain.ask("thing.show", thing=thing)
    return {probe["plane"]: str(probe["standing"]) for probe in shown["planes"]}


@pytest.mark.requirement("R-38")
def test_an_alarm_is_felt_on_all_six_planes_and_one_command_takes_it_back():
    async def story(world):
        lamp, *_rest = await world.joined("A0001", "A0002", "A0003")
        name = lamp.id
        before = await standings(world, name)
        response = await world.domain.controller.lookout.responder.alarm(seen(world, name))
        assert {one.plane for one in response.planes if one.milliseconds is not None} == set(PlaneName)
        after = await standings(world, name)
        assert "accepted" not in after.values()
        assert before != after
        (row,) = await world.domain.ask("response.list")
        assert (row["thing"], row["noticed_after_ms"] >= 1000) == (name, True)
        undone = await world.domain.ask("response.undo", response=row["response"])
        assert undone["ended_by"] == "owner"
        await world.sleep(120)
        assert (await world.domain.ask("thing.show", thing=name))["restriction"] == "none"
        with pytest.raises(ThingsteadError, match="let go by owner"):
            await world.domain.ask("response.undo", response=row["response"])
        kinds = [one.kind for one in world.domain.entries(Kind.ALARM) if one.thing == name]
        assert len(kinds) == 1

    play(story)


@pytest.mark.requirement("R-38")
def test_no_alarm_switches_a_site_off():
    async def story(world):
        things = await world.joined(*[f"A{number:04}" for number in range(1, 7)])
        responder = world.domain.controller.lookout.responder
        cut = [await responder.alarm(seen(world, one.id)) for one in things]
        assert sum(one is not None for one in cut) == 1
        listed = await world.domain.ask("thing.list")
        assert sorted(one["restriction"] for one in listed)[-2:] == ["none", "quarantined"]

    play(story)


def test_a_response_outlives_a_crash():
    async def story(world):
        lamp, *_rest = await world.joined("A0001", "A0002")
        response = await world.domain.controller.lookout.responder.alarm(seen(world, lamp.id))
        await world.domain.crash()
        await world.domain.start()
        assert [row["response"] for row in await world.domain.ask("response.list")] == [response.id]
        assert (await world.domain.ask("response.undo", response=response.id))["ended_by"] == "owner"

    play(story)


@pytest.mark.requirement("R-89")
def test_the_owners_rules_outlive_a_crash_and_say_what_they_are():
    async def story(world):
        lamp, *_rest = await world.joined("A0001", "A0002")
        told = await world.domain.ask("network.block", port="23", cause="nobody needs it")
        assert (told["things"], told["enforced_by"], told["breaks"]) == (2, "NOBODY: dry_run", [])
        await world.domain.ask("network.allow", to="192.0.2.7", thing=lamp.id, port="8009", hours=1)
        await world.domain.crash()
        await world.domain.start()
        assert {row["verdict"] for row in await world.domain.ask("network.rules")} == {"refuse", "allow"}
        await world.sleep(3700)
        assert [row["rule"] for row in await world.domain.ask("network.rules")] == [told["rule"]]
        await world.domain.ask("network.revoke", rule=told["rule"])
        assert await world.domain.ask("network.rules") == []
        causes = [one.cause for one in world.domain.entries(Kind.NETWORK_POLICY)]
        assert causes == ["owner-refusal", "owner-allowance", "owner-rule-revoked", "owner-rule-revoked"]

    play(story)


def test_what_makes_no_sense_changes_nothing():
    async def story(world):
        await world.joined("A0001")
        for operation, arguments in (
            ("network.block", {"cve": "CVE-2026-1"}),
            ("network.revoke", {"rule": "00000000"}),
            ("response.undo", {"response": "000000000000"}),
            ("network.talk", {"thing": "thing-bbbbbbbbbbbbbbbb"}),
        ):
            with pytest.raises(ThingsteadError):
                await world.domain.ask(operation, **arguments)
        assert await world.domain.ask("network.rules") == []

    play(story)
