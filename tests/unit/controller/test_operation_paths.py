"""The weakest path to each thing is asked for, by the rules in force and by what is known of each thing."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.controller.test_virtual_patch import HOLE
from tests.unit.domain.things import AT, a_thing
from tests.unit.planes.network.fakes import CLOUD, URL, World, described
from thingstead.analysis.reach import Hold
from thingstead.controller import operation_paths
from thingstead.controller.operation import Operations
from thingstead.controller.operation_paths import hold_of
from thingstead.domain.register import Register
from thingstead.domain.release_policy import Severity
from thingstead.domain.role import OWNER, Operator, Role
from thingstead.domain.unit import Snapshot
from thingstead.protocols.mud.builder import Service
from thingstead.protocols.mud.file import Direction, Remote, RemoteKind

pytestmark = pytest.mark.requirement("R-85")
LAMP, LOCK = a_thing(0), a_thing(1, mud_url="https://acme.example/lock")
TO_THE_LOCK = Service(Remote(RemoteKind.MODEL, LOCK.mud_url), 6, remote_port=5000)
FROM_LAMPS = Service(Remote(RemoteKind.MODEL, URL), 6, device_port=5000, opened_by=Direction.TO_DEVICE)


class Software:
    """Tells of the vulnerabilities that a test names."""

    def __init__(self, *exposures):
        self.found = exposures

    async def exposures(self):
        return self.found


def asked(*exposures, operator=OWNER, thing=""):
    """The answer in a house where the lamp talks to a cloud and to the lock."""

    async def ask():
        pages = {URL: described(CLOUD, TO_THE_LOCK), LOCK.mud_url: described(FROM_LAMPS, url=LOCK.mud_url)}
        world = World(pages=pages)
        for one in (LAMP, LOCK):
            await world.admit(one)
        register = Register(Snapshot(things=(LAMP, LOCK)))
        software: Any = Software(*exposures)
        table = Operations(*operation_paths.rows(world.manager, software, register, clock=world.clock))
        return await table.answer({"operation": "network.paths", "arguments": {"thing": thing}}, operator=operator)

    return asyncio.run(ask())


def test_the_lock_is_reached_over_the_lamp_and_the_step_is_in_words():
    to_lamp, to_lock = asked()["result"]
    assert (to_lamp["thing"], to_lamp["combination"]) == (LAMP.id, False)
    assert (to_lock["thing"], to_lock["combination"]) == (LOCK.id, True)
    assert [step["from"] for step in to_lock["steps"]] == ["the Internet", LAMP.id]
    assert to_lock["steps"][0]["by"] == "it may contact cloud.acme.example, by TCP on port 443 (web)"
    assert "and there it may be contacted by things of the model" in to_lock["steps"][1]["by"]


def test_a_known_vulnerability_makes_the_path_weaker_and_is_named():
    sound, broken = asked()["result"], asked(exposure(LAMP))["result"]
    assert broken[1]["cost"] == sound[1]["cost"] - Hold.FAIR
    assert f"{HOLE.id} is known" in broken[1]["steps"][0]["by"]


def test_one_thing_may_be_asked_for():
    assert [row["thing"] for row in asked(thing=LOCK.id)["result"]] == [LOCK.id]


@pytest.mark.parametrize("thing", ["nope", a_thing(7).id])
def test_of_a_thing_that_nobody_knows_no_safety_is_told(thing):
    assert "result" not in asked(thing=thing)


def test_who_may_only_operate_is_not_told_the_weak_places():
    assert asked(operator=Operator(Role.USER))["error"]["kind"] == "RoleError"


def exposure(thing, severity=Severity.CRITICAL, *, is_certain=True):
    return replace(HOLE, thing=thing.id, severity=severity, is_certain=is_certain)


@pytest.mark.parametrize(
    ("changes", "exposures", "expected"),
    [
        ({}, [], Hold.FAIR),
        ({}, [(Severity.CRITICAL, True)], Hold.BROKEN),
        ({}, [(Severity.CRITICAL, False)], Hold.FAIR),
        ({}, [(Severity.LOW, True)], Hold.POOR),
        ({"verifies": frozenset()}, [], Hold.POOR),
        ({"support_end": AT}, [], Hold.POOR),
        ({"support_end": AT + timedelta(1)}, [], Hold.FAIR),
    ],
)
def test_what_a_thing_holds_follows_from_what_is_known_of_it(changes, exposures, expected):
    thing = a_thing(0, **changes)
    hold, why = hold_of(thing, [exposure(thing, severity, is_certain=sure) for severity, sure in exposures], at=AT)
    assert (hold, bool(why)) == (expected, expected is not Hold.FAIR)
