"""The two operations take nothing that could name another file, and only the owner may send them."""

import asyncio

import pytest

from tests.unit.controller.test_owner import House
from thingstead.controller.operation import Operations
from thingstead.controller.operation_owner import rows
from thingstead.domain.role import Right


@pytest.mark.parametrize("operation", ["policy.reload", "trust.reload"])
@pytest.mark.parametrize("arguments", [{"path": "policy.toml"}, {"force": True}])
def test_neither_reads_another_file_or_skips_a_check(operation, arguments):
    asked = Operations(*rows(House().owner)).answer({"operation": operation, "arguments": arguments})
    assert "takes no arguments" in asyncio.run(asked)["error"]["message"]


def test_both_are_the_owner_s():
    assert {row.name: row.right for row in rows(House().owner)} == {
        "trust.reload": Right.OWN,
        "policy.reload": Right.OWN,
    }
