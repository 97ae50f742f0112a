import pytest

from tests.unit.domain.things import AT
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.ledger.tally import Tally


def tallied(*drafts):
    tally = Tally()
    for index, draft in enumerate(drafts):
        tally.take(draft.numbered(index))
    return tally


def draft(kind, cause="", **details):
    return Draft(AT, kind, "tester", cause=cause, details=details)


def test_entries_are_counted_by_kind_and_the_newest_of_each_is_known():
    tally = tallied(draft(Kind.ISSUE), draft(Kind.RECEIPT), draft(Kind.ISSUE))
    assert (tally.size, tally.by_kind[Kind.ISSUE], tally.newest[Kind.ISSUE]) == (3, 2, 2)


def test_what_happened_is_counted_by_its_cause_and_what_people_write_is_not():
    tally = tallied(
        draft(Kind.TRANSITION, "retired", wipe_receipt=b"digest"),
        draft(Kind.TRANSITION, "retired", wipe_receipt=None),
        draft(Kind.ALARM, "clone"),
        Draft(AT, Kind.RESTRICTION, "owner", cause="whatever a person wrote", details={"to": "held"}),
    )
    assert tally.happened == {(Kind.TRANSITION, "retired"): 2, (Kind.ALARM, "clone"): 1}
    assert tally.wiped == 1


def test_who_was_cut_off_by_the_domain_itself_is_counted_and_by_people_is_not():
    tally = Tally()
    rows = (
        ("response", "scan", "quarantined"),
        ("response", "flood", "quarantined"),
        ("response", "scan", "none"),
        ("policy", "algorithm", "held"),
        ("owner", "scan", "quarantined"),
        ("maintainer:ben", "scan", "quarantined"),
        ("operator:anna", "scan", "held"),
    )
    for index, (actor, cause, to) in enumerate(rows):
        tally.take(Draft(AT, Kind.RESTRICTION, actor, cause=cause, details={"to": to}).numbered(index))
    assert tally.restricted == {"response": 2, "policy": 1}
    assert tally.happened == {(Kind.RESTRICTION, cause): 1 for cause in ("scan", "flood", "algorithm")}


def test_refusals_are_summed_over_their_minutes():
    tally = tallied(draft(Kind.REFUSAL, "replay", count=3), draft(Kind.REFUSAL, "replay", count=4))
    assert tally.refusals == {"replay": 7}


def test_a_refusal_without_its_count_is_one():
    assert tallied(draft(Kind.REFUSAL, "replay")).refusals == {"replay": 1}


def test_join_decisions_are_counted_by_verdict():
    tally = tallied(draft(Kind.AUTHORIZATION, "admit"), draft(Kind.AUTHORIZATION, "refuse"))
    assert tally.verdicts == {"admit": 1, "refuse": 1}


@pytest.mark.requirement("R-09")
def test_the_slowest_plane_of_all_kill_clocks_is_kept_and_who_went_on_is_counted():
    tally = tallied(
        draft(Kind.KILL_CLOCK, network=412_000, data=1_000), draft(Kind.KILL_CLOCK, network=2_000, data=None)
    )
    assert (tally.slowest_kill, tally.unfinished_kills) == (412.0, 1)


def test_no_kill_clock_is_not_a_fast_one():
    assert tallied(draft(Kind.ISSUE)).slowest_kill is None


@pytest.mark.requirement("R-01")
@pytest.mark.parametrize(
    ("cause", "details", "undeclared"),
    [
        ("retired", {"from": "operational", "to": "decommissioned"}, 0),
        ("retired", {"from": "operational", "to": "shelf"}, 1),
        ("joined", {"from": "decommissioned", "to": "operational"}, 1),
        ("retired", {}, 1),
    ],
)
def test_a_transition_outside_the_table_is_counted(cause, details, undeclared):
    assert tallied(draft(Kind.TRANSITION, cause, **details)).undeclared == undeclared
