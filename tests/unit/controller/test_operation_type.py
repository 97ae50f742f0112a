"""Whoever audits sees which types were tested and is given the result signed; only who maintains has one tested."""

import asyncio
import base64

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.controller.test_type_watch import LAMP, House
from thingstead.controller import operation_type
from thingstead.controller.notary import Notary
from thingstead.controller.operation import Operations
from thingstead.crypto.key import KeyType, generate
from thingstead.domain import type_result
from thingstead.domain.role import OWNER, Operator, Role
from thingstead.simulator.virtual.memory import MemoryHeads
from thingstead.storage.memory import MemoryStore

pytestmark = pytest.mark.requirement("R-84")
KEY = generate(KeyType.P256)


class Office:
    def __init__(self, monkeypatch):
        self.house = House(monkeypatch)
        self.notary = Notary(self.house.store, MemoryHeads(), key=KEY, domain="home", clock=JumpingClock())

    def ask(self, operation, operator=OWNER, store=None, **arguments):
        house = self.house
        rows = operation_type.rows(house.watch, house.register, store or house.store, self.notary)
        asked = {"operation": operation, "arguments": arguments}
        return asyncio.run(Operations(*rows).answer(asked, operator=operator))


@pytest.fixture
def office(monkeypatch):
    return Office(monkeypatch)


def test_what_was_tested_and_what_is_under_way_is_listed(office):
    assert office.ask("type.list")["result"] == []
    office.house.look(1)
    (row,) = office.ask("type.list")["result"]
    assert (row["model"], row["verdict"]) == ("LX-1", "under way")
    office.house.look()
    (row,) = office.ask("type.list", Operator(Role.AUDITOR, "ada"))["result"]
    assert (row["verdict"], row["checks"]["in-clear"]) == ("passed", "passed")


@pytest.mark.spec("RFC 9942 5.2.1")
def test_a_result_comes_with_the_ledgers_signature(office):
    office.house.look()
    name = office.house.watch.results()[0].type.name
    told = office.ask("type.result", type=name)["result"]
    proved = type_result.authenticate(base64.b64decode(told["signed"]), KEY.public)
    assert base64.b64decode(told["result"]) == type_result.encode(proved.result)
    assert (proved.result.thing, proved.entry.index) == (LAMP.id, told["entry"])
    assert office.ask("type.result", store=MemoryStore(), type=name)["error"]["kind"] == "StorageError"


def test_a_type_that_was_not_tested_has_none(office):
    assert office.ask("type.result", type="abc")["error"]["kind"] == "ConfigError"


def test_who_maintains_may_have_a_type_tested_now(office):
    told = office.ask("type.test", Operator(Role.MAINTAINER, "mia"), thing=LAMP.id)["result"]
    assert told["checks"] == {"in-clear": "passed"}
    office.house.inside.clear()
    assert office.ask("type.test", thing=LAMP.id)["error"]["kind"] == "StateError"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.USER, Role.INSTALLER])
def test_who_does_not_may_not(office, role):
    assert office.ask("type.test", Operator(role, "eve"), thing=LAMP.id)["error"]["kind"] == "RoleError"
