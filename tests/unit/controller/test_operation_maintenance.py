"""A permit is written for a maintainer with a key, as the file of operators has them now."""

import asyncio
import base64

import pytest

from tests.unit.controller.test_maintenance import BEN, KEY, LAMP, Desk
from thingstead.controller.operation import Operations
from thingstead.controller.operation_maintenance import rows
from thingstead.domain.role import Operator, Role
from thingstead.errors import StateError
from thingstead.protocols.profile.maintenance import Task
from thingstead.protocols.profile.permit import PermitFile
from thingstead.storage.operator_file import key_word, parse_operators

pytestmark = [pytest.mark.requirement("R-07"), pytest.mark.requirement("R-06")]


class Table:
    def __init__(self, operators=""):
        self.desk, self.operators = Desk(), operators
        self.table = Operations(
            *rows(
                self.desk.maintenance,
                self.desk.permits,
                self.desk.register,
                operators=lambda: parse_operators(self.operators, user_id=lambda _name: 1),
                holder_of=self.holder_of,
                domain="home",
            )
        )

    def holder_of(self, thing):
        if thing != LAMP.id:
            raise StateError("it is not in")
        return KEY.public

    def ask(self, operation, *, role=Role.OWNER, **arguments):
        asked = {"operation": f"maintenance.{operation}", "arguments": arguments}
        return asyncio.run(self.table.answer(asked, operator=Operator(role, "x" if role is not Role.OWNER else "")))


def line(role="maintainer", name="ben"):
    return f"{role} {key_word(BEN.public)} {name}\n"


def test_a_maintainer_s_permit_names_thing_key_and_domain():
    table = Table(line())
    told = table.ask("permit", name="ben", things=[LAMP.id, LAMP.id], tasks=["diagnose"], hours=2)["result"]
    file = PermitFile.decode(base64.urlsafe_b64decode(told["permit"]))
    assert (file.domain, file.holder, [one.thing for one in file.permits]) == ("home", "ben", [LAMP.id])
    assert file.permits[0].public == KEY.public
    shown = table.ask("show", thing=LAMP.id)["result"]
    assert [(one["holder"], one["tasks"]) for one in shown["permits"]] == [("ben", ["diagnose"])]
    assert table.ask("withdraw", name="ben")["result"] == {"holder": "ben", "permits": 1}
    assert table.ask("show", thing=LAMP.id)["result"]["permits"] == []


@pytest.mark.parametrize(
    ("operators", "bent", "kind"),
    [
        ("", {}, "ConfigError"),
        ("maintainer user:7 ben\n", {}, "ConfigError"),
        (line("user"), {}, "RoleError"),
        (line("auditor"), {}, "RoleError"),
        ("maintainer\n", {}, "ConfigError"),
        (line(), {"things": []}, "ConfigError"),
        (line(), {"tasks": []}, "ConfigError"),
        (line(), {"tasks": ["wipe"]}, "ConfigError"),
        (line(), {"hours": 721}, "ConfigError"),
        (line(), {"hours": 0}, "ConfigError"),
        (line(), {"things": ["thing-aaaaaaaaaaaaaaap"]}, "ConfigError"),
        (line(), {"things": ["lamp"]}, "DecodeError"),
    ],
)
def test_nobody_else_gets_one(operators, bent, kind):
    table = Table(operators)
    answer = table.ask("permit", **{"name": "ben", "things": [LAMP.id], **bent})
    assert answer["error"]["kind"] == kind
    assert list(table.desk.permits) == []


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.OWNER, Role.MAINTAINER}])
@pytest.mark.parametrize("task", Task)
def test_orders_take_the_right_to_maintain(role, task):
    settings = {"telemetry_interval": 2.0} if task is Task.CONFIGURE else {}
    assert Table().ask(task.value, role=role, thing=LAMP.id, **settings)["error"]["kind"] == "RoleError"


@pytest.mark.parametrize("operation", ["permit", "withdraw"])
def test_a_maintainer_writes_no_permits(operation):
    answer = Table(line()).ask(operation, role=Role.MAINTAINER, name="ben", things=[LAMP.id])
    assert answer["error"]["kind"] == "RoleError"
