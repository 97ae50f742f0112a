import pytest

from tests.unit.controller.test_evidence import LIVED, shown


@pytest.mark.requirement("R-22")
def test_appraisals_that_passed_and_those_that_did_not_are_counted_apart():
    told = shown(LIVED)["R-22"]
    assert "2 appraisals found what was published, 1 did not; 3 requests waited for evidence" in told.evidence
    assert told.holds
