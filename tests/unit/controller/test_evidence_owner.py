from dataclasses import replace

import pytest

from tests.unit.controller.test_evidence import GONE, LAMP, LIVED, a_tally, shown
from thingstead.domain.lifecycle import LifecycleState, Restriction

SOLD = replace(GONE, state=LifecycleState.RE_OWNED)


@pytest.mark.requirement("R-10")
def test_what_was_sold_and_still_lives_is_told_and_the_rest_is_not_seen_from_here():
    told = shown(replace(LIVED, things=(LAMP, SOLD), live=frozenset({SOLD.id}), tally=a_tally(wiped=1)))["R-10"]
    assert "1 things handed over, 1 of them with a live association, 1 wipes signed" in told.evidence
    assert not told.holds


@pytest.mark.requirement("R-21")
def test_who_is_in_quarantine_now_is_counted_beside_what_was_found():
    held = replace(LAMP, restriction=Restriction.QUARANTINED)
    assert (
        "1 identities found to live twice; 1 things in quarantine"
        in shown(replace(LIVED, things=(held,)))["R-21"].evidence
    )


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("R-11", "1 chains of custody verified, each from its maker to this domain; 1 things are mended by another"),
        ("R-76", "1 times a thing was held for one that is not taken"),
        ("R-62", "begun again 1 times from a backup; 2 things have joined since"),
        ("R-78", "1 things adopted, 1 releases refused whose signers do not count"),
    ],
)
def test_the_figures_are_those_of_the_ledger(question, says):
    assert says in shown(LIVED)[question].evidence


@pytest.mark.requirement("R-86")
def test_what_rests_on_an_algorithm_is_counted_and_a_domain_without_any_shows_nothing():
    one = shown(replace(LIVED, assets={True: 5, False: 2}))["R-86"]
    assert one.holds
    assert "7 keys" in one.evidence
    assert "5 of them rest on one that a quantum computer undoes" in one.evidence
    assert not shown(replace(LIVED, assets={}))["R-86"].holds
