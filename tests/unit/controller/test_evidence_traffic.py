from collections import Counter
from dataclasses import replace

import pytest

from tests.unit.controller.test_evidence import LIVED, a_tally, shown
from thingstead.domain.ledger.entry import Kind


@pytest.mark.requirement("R-26")
def test_alarms_of_numbers_that_were_used_twice_are_counted():
    assert "1 alarms of numbers that were used for two messages" in shown(LIVED)["R-26"].evidence


@pytest.mark.requirement("R-39")
def test_those_that_fell_silent_alone_and_together_are_counted_apart():
    assert "1 times things fell silent together, 2 times one did" in shown(LIVED)["R-39"].evidence


@pytest.mark.requirement("R-26")
@pytest.mark.requirement("R-39")
@pytest.mark.parametrize("question", ["R-26", "R-39"])
def test_what_was_never_told_is_not_shown(question):
    assert not shown(replace(LIVED, tally=a_tally(happened=Counter())))[question].holds


@pytest.mark.requirement("R-39")
@pytest.mark.parametrize("cause", ["silence", "lost_contact"])
def test_one_of_both_is_not_enough(cause):
    happened = a_tally().happened
    del happened[Kind.ALARM, cause]
    assert not shown(replace(LIVED, tally=a_tally(happened=happened)))["R-39"].holds
