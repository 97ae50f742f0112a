"""A rule against a vulnerability follows who has it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.domain.test_owner_rule import RULE
from tests.unit.domain.things import a_thing
from thingstead.controller.virtual_patch import VirtualPatches
from thingstead.domain.release_policy import Severity
from thingstead.errors import TransportError
from thingstead.planes.software.vulnerability_shelf import Exposure

pytestmark = pytest.mark.requirement("R-89")
LAMP, OTHER = a_thing(0).id, a_thing(1).id
HOLE = Exposure(LAMP, "1.0", "GHSA-1", ("CVE-2026-1",), "httpd 1.2", Severity.HIGH, True, "listed", "")
PATCH = replace(RULE, vulnerability="CVE-2026-1", things=(LAMP,))


class Site:
    def __init__(self, *rules):
        self.rules = rules
        self.holes: Any = [HOLE]
        self.kept: Any = []
        self.patches = VirtualPatches(self.exposures, rules=self.owner_rules, put=self.put)

    async def exposures(self):
        return self.holes

    async def owner_rules(self):
        return self.rules

    async def put(self, rule, by):
        if self.kept is None:
            raise TransportError("away")
        self.kept.append((rule, by))

    def look(self):
        asyncio.run(self.patches.look())
        return self.kept


@pytest.mark.parametrize("name", ["GHSA-1", "CVE-2026-1", "cve-2026-1"])
def test_a_vulnerability_has_several_names(name):
    assert asyncio.run(Site().patches.things(name)) == (LAMP,)


@pytest.mark.parametrize("name", ["CVE-2026-2", "CVE", "", "GHSA-1 "])
def test_what_nobody_has_is_nobodys(name):
    assert asyncio.run(Site().patches.things(name)) == ()


def test_who_begins_to_run_it_comes_under_the_rule_and_who_ends_is_let_out():
    site = Site(PATCH)
    site.holes = [HOLE, replace(HOLE, thing=OTHER, is_certain=False)]
    assert site.look() == [(replace(PATCH, things=tuple(sorted((LAMP, OTHER)))), "virtual-patch")]
    site = Site(PATCH)
    site.holes = []
    assert site.look() == [(replace(PATCH, things=()), "virtual-patch")]


def test_where_nothing_changed_nothing_is_done():
    assert Site(PATCH).look() == []


def test_rules_of_other_kinds_are_left_alone():
    site = Site(RULE, replace(RULE, things=(OTHER,)))
    site.holes = None
    assert site.look() == []


def test_what_could_not_be_done_is_said():
    site = Site(replace(PATCH, things=()))
    site.kept = None
    with pytest.raises(TransportError):
        site.look()
