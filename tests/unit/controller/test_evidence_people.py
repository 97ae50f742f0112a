"""What is shown of people follows the ledger, and what nobody tried is not shown."""

from dataclasses import replace

import pytest

from tests.unit.controller.test_evidence import LIVED, NOTHING, a_tally
from thingstead.controller.evidence_people import ROWS


def seen(figures):
    return {question: look(figures) for question, _, look, _ in ROWS}


@pytest.mark.parametrize("question", ["R-03", "R-06", "R-07", "R-23", "R-28"])
def test_what_nobody_tried_is_not_shown(question):
    evidence, holds = seen(NOTHING)[question]
    assert "0 " in evidence
    assert not holds


def test_the_counts_are_those_of_the_ledger():
    told = seen(replace(LIVED, tally=a_tally(verdicts={"refuse": 4})))
    assert told["R-03"] == ("1 entries on delegations, 2 on approvals; 1 beyond a delegation refused", True)
    assert told["R-06"][0].startswith("1 requests of people")
    assert told["R-07"] == (
        "3 orders given here and 2 told by things, of one kind of entry; 1 requests refused for want of a role",
        True,
    )
    assert told["R-23"] == (told["R-23"][0], False)
    assert told["R-23"][0].startswith("4 joins refused")
    assert told["R-28"][1]
