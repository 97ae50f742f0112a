"""What observers may ask is written down here once more, so that no operation becomes theirs by accident."""

import asyncio
import json

import pytest

from tests.unit.controller.test_restoration import composed
from thingstead.controller.operation import Role
from thingstead.controller.operation_table import operations

OBSERVED = {
    "assurance",
    "assurance.page",
    "assurance.text",
    "calendar",
    "data.flows",
    "data.list",
    "data.show",
    "group.list",
    "ledger.head",
    "ledger.proof",
    "ledger.show",
    "policy.explain",
    "release.list",
    "release.show",
    "status",
    "thing.forgotten",
    "thing.list",
    "thing.show",
    "thing.waiting",
    "traffic.show",
}


@pytest.fixture(scope="module")
def controller():
    return composed()


def rows():
    return [pytest.param(row.name, id=row.name) for row in operations(composed()).rows()]


def asked(controller, operation, role, **arguments):
    request = {"operation": operation, "arguments": arguments}
    return json.loads(json.dumps(asyncio.run(operations(controller).answer(request, role=role)), default=str))


def test_observers_have_the_queries_and_nothing_else(controller):
    assert {row.name for row in operations(controller).rows() if row.role is Role.AUDITOR} == OBSERVED


@pytest.mark.parametrize("operation", rows())
def test_a_command_of_an_observer_is_refused_before_its_arguments_are_looked_at(controller, operation):
    error = asked(controller, operation, Role.AUDITOR, nonsense=1)["error"]
    assert error["kind"] == ("ConfigError" if operation in OBSERVED else "RoleError")


@pytest.mark.parametrize("operation", ["assurance", "assurance.page", "assurance.text"])
def test_no_file_is_read_for_an_observer(controller, operation, tmp_path):
    trace = tmp_path / "trace.json"
    trace.write_text('{"requirements": {}}')
    assert asked(controller, operation, Role.AUDITOR, trace=str(trace))["error"]["kind"] == "RoleError"
    assert "result" in asked(controller, operation, Role.OWNER, trace=str(trace))
    assert "result" in asked(controller, operation, Role.AUDITOR)


def test_what_was_refused_goes_onto_the_ledger_by_role():
    controller = composed()
    for _ in range(3):
        asked(controller, "group.create", Role.AUDITOR, group="lamps")
    asyncio.run(controller.notary.close())
    told = asked(controller, "ledger.show", Role.AUDITOR, kind="refusal")["result"]
    assert [(one["actor"], one["cause"], one["details"]) for one in told] == [
        ("operator:auditor", "role", {"count": 3})
    ]
