"""Delegations are the owner's to give and to end, with bounds that are written out."""

import asyncio

import pytest

from tests.unit.controller.test_installers import BEN, Site
from thingstead.controller.gate import Challenges
from thingstead.controller.operation import Operations
from thingstead.controller.operation_people import rows
from thingstead.domain.role import OWNER, Operator, Role
from thingstead.storage.operator_file import key_word

pytestmark = pytest.mark.requirement("R-03")

GOOD = {"name": "ben", "key": key_word(BEN), "zones": ["floor-1"], "classes": [2]}


def ask(site, operation, operator=OWNER, **arguments):
    challenges = Challenges("home", clock=site.clock, random_bytes=bytes)
    asked = {"operation": f"installer.{operation}", "arguments": arguments}
    return asyncio.run(
        Operations(*rows(site.installers, challenges, clock=site.clock)).answer(asked, operator=operator)
    )


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"key": "key:AAAA"}, "ConfigError"),
        ({"zones": []}, "DecodeError"),
        ({"zones": "floor-1"}, "ConfigError"),
        ({"classes": [3]}, "DecodeError"),
        ({"days": 0}, "ConfigError"),
        ({"days": 367}, "ConfigError"),
        ({"by": "owner"}, "ConfigError"),
    ],
)
def test_what_is_no_delegation_is_refused(said, kind):
    site = Site()
    assert ask(site, "add", **{**GOOD, **said})["error"]["kind"] == kind
    assert ask(site, "list")["result"] == []


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_nobody_but_the_owner_delegates(role):
    site = Site()
    for operation, said in (("add", GOOD), ("revoke", {"name": "ben"})):
        assert ask(site, operation, Operator(role), **said)["error"]["kind"] == "RoleError"


def test_what_is_delegated_is_listed_until_it_is_revoked():
    site = Site()
    told = ask(site, "add", **GOOD, days=2)["result"]
    assert told.pop("delegation")
    assert ask(site, "list")["result"] == [told]
    assert (told["zones"], told["classes"], told["expires"]) == (["floor-1"], [2], "2026-11-25T12:00:00Z")
    assert ask(site, "revoke", name="ben")["result"] == told
    assert ask(site, "list")["result"] == []
