from dataclasses import replace

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.domain.plane import PlaneName
from thingstead.planes.groups import record as group_record
from thingstead.planes.groups.finding import findings_of
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm_registry import Role

ANSWERED = ("T8", "C5.3.1", "R-09", "R-63", "R-65", "R-66")
ONE, TWO = a_thing(1).id, a_thing(2).id


def a_group(name="lamps", *things, confirmed=()):
    record = group_record.create(name, random_bytes=bytes, at=AT)
    for thing in things:
        record = record.with_member(thing, b"c", roles=Role.RESPONDER, scope=Scope({}), at=AT)
    return record.confirmed_by(confirmed, record.num)


def finding(question, *groups):
    (found,) = findings_of(question, groups)
    return found


@pytest.mark.parametrize("question", ["T1", "R-01", "R-64", "", "r-63"])
def test_the_plane_says_nothing_to_what_is_not_its_matter(question):
    assert findings_of(question, [a_group()]) == ()


@pytest.mark.parametrize("question", ANSWERED)
def test_without_a_group_nothing_holds_and_that_is_the_evidence(question):
    found = finding(question)
    assert (found.plane, found.holds, found.evidence) == (PlaneName.GROUPS, False, "no group in this domain yet")


@pytest.mark.parametrize("question", ANSWERED)
def test_every_finding_names_what_is_left(question):
    found = finding(question, a_group())
    assert found.question == question
    assert found.control
    assert found.remaining_risk


LEFT = replace(a_group("lamps", ONE, TWO, confirmed=[b"\2"]).without_member(ONE))


@pytest.mark.parametrize(
    ("question", "groups", "holds"),
    [
        ("R-63", [a_group("lamps", ONE, confirmed=[b"\1"])], False),
        ("R-63", [LEFT], True),
        ("R-63", [LEFT.rekeyed(bytes, AT)], False),
        ("R-63", [LEFT, a_group("doors", ONE)], True),
        ("R-65", [LEFT], False),
        ("R-66", [LEFT], False),
        ("R-66", [LEFT, a_group("doors")], True),
        ("T8", [a_group()], True),
    ],
)
def test_a_finding_holds_by_what_was_seen_here_only(question, groups, holds):
    assert finding(question, *groups).holds is holds


def test_the_evidence_counts_group_by_group():
    told = finding("R-63", LEFT, a_group("doors", ONE)).evidence
    assert told == (
        "lamps: epoch 1 since 2026-11-23 12:00Z, 1 of 1 members confirmed it, 1 left; "
        "doors: epoch 1 since 2026-11-23 12:00Z, 0 of 1 members confirmed it, 0 left"
    )
