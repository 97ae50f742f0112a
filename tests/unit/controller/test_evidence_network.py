"""What is shown of alarms and closed doors follows the ledger, and is worth nothing where nobody enforces."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.unit.controller.test_evidence import LIVED, NOTHING, a_tally
from thingstead.controller.evidence_network import ROWS
from thingstead.domain.plane import PlaneName


def seen(figures):
    return {question: look(figures) for question, _, look, _ in ROWS}


@pytest.mark.parametrize("question", ["R-38", "R-89"])
def test_what_never_happened_is_not_shown(question):
    evidence, holds = seen(NOTHING)[question]
    assert "0 " in evidence
    assert not holds


@pytest.mark.parametrize("question", ["R-38", "R-89"])
def test_a_plane_that_does_not_act_stops_nobody(question):
    assert seen(LIVED)[question][1]
    assert not seen(replace(LIVED, idle=(PlaneName.NETWORK,)))[question][1]


def test_the_counts_are_those_of_the_ledger():
    told = seen(replace(LIVED, tally=a_tally(restricted=Counter({"response": 3, "policy": 5}))))
    assert told["R-38"][0].startswith("3 things cut off for what a detector saw")
    assert told["R-89"][0] == "things knocked at 1 times, 0 services found that nobody named; 1 refusals by rule"
