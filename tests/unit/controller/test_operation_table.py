"""What each role may ask is written down here once more, so that no operation becomes anybody's by accident."""

import asyncio
import json

import pytest

from tests.unit.controller.test_restoration import composed
from thingstead.controller.operation_table import operations
from thingstead.domain.role import Operator, Role
from thingstead.protocols.profile.maintenance import Task

SEEN = {
    "campaign.basis",
    "campaign.list",
    "campaign.preview",
    "campaign.show",
    "challenge",
    "group.list",
    "install-code.list",
    "policy.explain",
    "status",
    "thing.forgotten",
    "thing.list",
    "thing.present",
    "thing.show",
    "thing.waiting",
}
USED = {"group.command"}
AUDITED = {
    "assurance",
    "assurance.page",
    "assurance.text",
    "calendar",
    "crypto.bill",
    "crypto.forbid",
    "crypto.inventory",
    "data.flows",
    "data.list",
    "data.show",
    "installer.list",
    "ledger.head",
    "ledger.proof",
    "ledger.show",
    "maintenance.show",
    "migration.status",
    "mud.urls",
    "network.detectors",
    "network.drops",
    "network.propose",
    "network.paths",
    "network.names",
    "network.rules",
    "network.talk",
    "osv.list",
    "publication.list",
    "release.carried",
    "release.list",
    "release.result",
    "release.show",
    "response.list",
    "token.list",
    "traffic.show",
    "type.list",
    "type.result",
}
ADMITTED = {"thing.admit"}
MAINTAINED = {
    "campaign.abort",
    "campaign.advance",
    "campaign.pause",
    "campaign.replan",
    "campaign.resume",
    "group.evict",
    "network.exposure",
    "exposure.plan",
    "exposure.tell",
    "group.readmit",
    "group.rekey",
    "mud.heard",
    "mud.review",
    "publication.approve",
    "publication.withdraw",
    "response.undo",
    "thing.attest",
    "thing.quarantine",
    "thing.restore",
    "type.test",
    "token.revoke",
    *(task.operation for task in Task),
}
MATRIX = {
    Role.INSTALLER: SEEN | ADMITTED,
    Role.MAINTAINER: SEEN | USED | AUDITED | MAINTAINED,
    Role.USER: SEEN | USED,
    Role.AUDITOR: SEEN | AUDITED,
    Role.MANUFACTURER: set(),
}


@pytest.fixture(scope="module")
def controller():
    return composed()


def rows():
    return [pytest.param(row.name, id=row.name) for row in operations(composed()).rows()]


def asked(controller, operation, role, **arguments):
    request = {"operation": operation, "arguments": arguments}
    answer = asyncio.run(operations(controller).answer(request, operator=Operator(role)))
    return json.loads(json.dumps(answer, default=str))


@pytest.mark.requirement("R-06")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("operation", rows())
def test_what_a_role_does_not_have_is_refused_before_its_arguments_are_looked_at(controller, operation, role):
    error = asked(controller, operation, role, nonsense=1)["error"]
    is_theirs = role is Role.OWNER or operation in MATRIX[role]
    assert error["kind"] == ("ConfigError" if is_theirs else "RoleError")


@pytest.mark.requirement("R-06")
def test_a_user_neither_maintains_nor_changes_the_policy_and_all_that_others_have_is_there():
    names = {row.name for row in operations(composed()).rows()}
    assert names >= set().union(*MATRIX.values())
    assert not MATRIX[Role.USER] & (MAINTAINED | ADMITTED | {"policy.reload", "trust.reload", "release.publish"})


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


@pytest.mark.requirement("R-06")
def test_what_a_maintainer_changes_is_on_the_ledger_under_their_name():
    controller = composed()
    request = {"operation": "group.rekey", "arguments": {"group": "lamps"}}
    asyncio.run(operations(controller).answer(request, operator=Operator(Role.MAINTAINER, "max")))
    told = asked(controller, "ledger.show", Role.AUDITOR, kind="operation")["result"]
    assert [(one["actor"], one["cause"], one["details"]) for one in told] == [
        ("maintainer:max", "group.rekey", {"group": "lamps"})
    ]
