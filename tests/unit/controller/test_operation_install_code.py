"""What an operator may do with install codes; a slip of the pen adds none, and no answer repeats a code."""

import asyncio
import random

import pytest

from tests.unit.controller.planes import JumpingClock
from thingstead.controller.operation import Operations
from thingstead.controller.operation_install_code import AddInstallCode, rows
from thingstead.domain.plane import PlaneName
from thingstead.domain.role import Operator, Role
from thingstead.planes.identity.install_codes import InstallCodes
from thingstead.protocols.profile.install_code import make_code, render_code
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

CODE = render_code(make_code(random.Random(1).randbytes))


class Desk:
    def __init__(self):
        records = PlaneRecords(PlaneName.IDENTITY, MemoryStore(), prefix="code/")
        self.operations = Operations(*rows(InstallCodes(records, clock=JumpingClock())))

    def ask(self, operation, operator=None, **arguments):
        asked = {"operation": f"install-code.{operation}", "arguments": arguments}
        who = operator or Operator(Role.OWNER)
        return asyncio.run(self.operations.answer(asked, operator=who))


@pytest.mark.parametrize(
    "arguments",
    [
        {"serial": "A0001", "code": ""},
        {"serial": "A0001", "code": CODE[:-1]},
        {"serial": "A0001", "code": CODE[:-1] + ("0" if CODE[-1] != "0" else "1")},
        {"serial": "", "code": CODE},
        {"serial": "A0001", "code": CODE, "days": 0},
        {"serial": "A0001", "code": CODE, "days": -1},
        {"serial": "A0001"},
    ],
)
def test_what_is_no_code_of_a_thing_is_not_added(arguments):
    desk = Desk()
    answer = desk.ask("add", **arguments)
    assert "error" in answer
    assert CODE not in str(answer)
    assert desk.ask("list") == {"result": []}


@pytest.mark.requirement("R-06")
def test_who_may_only_see_adds_none():
    desk = Desk()
    auditor = Operator(Role.AUDITOR)
    assert desk.ask("add", auditor, serial="A0001", code=CODE)["error"]["kind"] == "RoleError"
    assert desk.ask("remove", auditor, serial="A0001")["error"]["kind"] == "RoleError"
    assert desk.ask("list", auditor) == {"result": []}


def test_a_code_is_added_listed_without_being_told_and_removed():
    desk = Desk()
    added = desk.ask("add", serial="A0001", code=CODE.lower())["result"]
    assert (added["serial"], added["state"], added["tries"]) == ("A0001", "open", 0)
    assert [one["serial"] for one in desk.ask("list")["result"]] == ["A0001"]
    assert CODE not in str(desk.ask("list"))
    assert "result" in desk.ask("remove", serial="A0001")
    assert "error" in desk.ask("remove", serial="A0001")


def test_no_representation_shows_the_code():
    assert CODE not in repr(AddInstallCode("A0001", CODE))
