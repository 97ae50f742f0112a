"""The owner sees which services answer, and has things knocked at; others do not."""

import asyncio

import pytest

from tests.unit.controller.test_exposure_scan import LAMP, OTHER, Site
from tests.unit.domain.things import a_thing
from thingstead.controller import operation_exposure
from thingstead.controller.operation import Operations
from thingstead.domain.role import OWNER, Operator, Role

pytestmark = pytest.mark.requirement("R-89")


def _ask(site, operator=OWNER, **arguments):
    table = Operations(*operation_exposure.rows(site.scan))
    asked = {"operation": "network.exposure", "arguments": arguments}
    return asyncio.run(table.answer(asked, operator=operator))


def test_the_owner_sees_it_with_the_command_that_closes_it():
    site = Site()
    assert _ask(site)["result"] == []
    (row,) = _ask(site, again=True)["result"]
    assert row["close"] == f"thingstead network block --thing {LAMP.id} --protocol tcp --port 22"
    assert _ask(site)["result"] == [row]
    assert _ask(site, thing=OTHER.id)["result"] == []
    assert _ask(site, thing=OTHER.id, again=True)["result"] == []


def test_what_this_machine_serves_is_said_to_be_its():
    site = Site()
    site.doors["10.77.0.1"] = {(17, 5683), (6, 22)}
    rows = [row for row in _ask(site, again=True)["result"] if row["thing"] == "this machine"]
    assert [(row["expected"], bool(row["close"])) for row in rows] == [(False, True), (True, False)]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.USER, Role.INSTALLER, Role.MANUFACTURER])
def test_not_everybody_has_things_knocked_at(role):
    site = Site()
    assert _ask(site, Operator(role), again=True)["error"]["kind"] == "RoleError"
    assert site.knocked == []


@pytest.mark.parametrize("thing", ["x", "10.77.0.2", a_thing(9).id])
def test_only_things_of_ours_can_be_named(thing):
    assert _ask(Site(), thing=thing, again=True)["error"]["kind"] in {"ConfigError", "DecodeError"}
