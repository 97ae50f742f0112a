"""The owner sees whom an alarm cut off and how fast, and takes it back; who may not is refused."""

import asyncio

import pytest

from tests.unit.controller.test_response import THINGS, Home
from thingstead.controller import operation_response
from thingstead.controller.operation import Operations
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.plane import PlaneName
from thingstead.domain.role import OWNER, Operator, Role

pytestmark = pytest.mark.requirement("R-38")


def _ask(home, operation, operator=OWNER, **arguments):
    table = Operations(*operation_response.rows(home.responder))
    return asyncio.run(table.answer({"operation": operation, "arguments": arguments}, operator=operator))


def test_the_owner_sees_how_fast_it_went_and_undoes_it():
    home = Home()
    home.alarm()
    (row,) = _ask(home, "response.list")["result"]
    assert row["noticed_after_ms"] == 1500
    assert row["cut_off_after_ms"] >= 1500
    assert set(row["planes"]) == {plane.value for plane in PlaneName}
    assert _ask(home, "response.list", thing=THINGS[1].id)["result"] == []
    assert _ask(home, "response.undo", response=row["response"])["result"]["ended_by"] == "owner"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.USER, Role.INSTALLER, Role.MANUFACTURER])
def test_who_does_not_maintain_things_lets_none_go(role):
    home = Home()
    response = home.alarm()
    assert _ask(home, "response.undo", Operator(role), response=response.id)["error"]["kind"] == "RoleError"
    assert home.restriction() is Restriction.QUARANTINED
