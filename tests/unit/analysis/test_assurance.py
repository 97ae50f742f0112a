from datetime import UTC, datetime

import pytest

from thingstead.analysis.assurance import Outcome, Status, assess, document, parse_trace
from thingstead.analysis.question import QUESTIONS, QuestionKind
from thingstead.domain.plane import Finding, PlaneName
from thingstead.errors import DecodeError

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def finding(question, plane=PlaneName.ACCESS, *, holds=True, control="a lock", evidence="3 refused", risk="a window"):
    return Finding(question, plane, control, evidence, risk, holds=holds)


def assessed(*findings, trace=None):
    assurance = assess(QUESTIONS.values(), findings, domain="home", at=AT, trace=trace)
    return {row.question.id: row for row in assurance.rows}


@pytest.mark.requirement("R-90")
def test_no_row_has_an_empty_cell_whatever_was_found():
    for findings in ((), (finding("R-35"),), (finding("T1", control="", evidence="", risk="", holds=False),)):
        for row in assessed(*findings).values():
            assert row.control
            assert row.evidence
            assert row.remaining_risk


@pytest.mark.requirement("R-90")
def test_a_question_that_nobody_answers_is_open_and_says_what_is_missing():
    row = assessed()["R-18"]
    assert row.status is Status.OPEN
    assert row.remaining_risk == QUESTIONS["R-18"].missing


def test_a_control_that_was_seen_to_hold_is_shown():
    row = assessed(finding("R-35"))["R-35"]
    assert (row.status, row.control, row.evidence, row.remaining_risk) == (
        Status.SHOWN,
        "a lock",
        "3 refused",
        "a window",
    )


def test_a_control_without_evidence_is_not_shown_now():
    row = assessed(finding("R-35", holds=False))["R-35"]
    assert row.status is Status.NOT_SHOWN
    assert row.evidence == "NOT now: 3 refused"


def test_one_of_several_that_does_not_hold_is_enough_not_to_show_it():
    row = assessed(finding("T10"), finding("T10", PlaneName.NETWORK, holds=False, control="a wall"))["T10"]
    assert row.status is Status.NOT_SHOWN
    assert row.control == "access: a lock; network: a wall"
    assert row.evidence == "access: 3 refused; network: NOT now: 3 refused"


def test_the_controller_speaks_under_its_own_name():
    assert assessed(finding("T10"), finding("T10", None))["T10"].control == "access: a lock; controller: a lock"


def test_a_threat_nobody_speaks_of_is_answered_by_its_requirements_and_names_the_open_ones():
    row = assessed(finding("R-22"))["T3"]
    assert row.control == "a lock"
    assert row.remaining_risk == "a window; open: R-21"


@pytest.mark.requirement("R-90")
def test_a_threat_is_not_shown_while_a_requirement_under_it_is_open():
    assert assessed(finding("T3"), finding("R-22"))["T3"].status is Status.NOT_SHOWN
    assert assessed(finding("T3"), finding("R-22"), finding("R-21"))["T3"].status is Status.SHOWN


def test_tests_alone_close_a_requirement_but_do_not_show_it():
    trace = {"R-21": {"tests/a.py::test_a": Outcome.PASSED}}
    row = assessed(finding("R-22"), trace=trace)["T3"]
    assert (row.status, row.remaining_risk) == (Status.NOT_SHOWN, "a window")


def test_what_section_six_stresses_is_answered_by_section_five():
    assert assessed(finding("C5.3.1"))["C6.2"].control == "a lock"
    assert assessed()["C6.2"].status is Status.OPEN


def test_a_finding_under_an_unknown_question_answers_none():
    assert {row.status for row in assessed(finding("R-00")).values()} == {Status.OPEN}


@pytest.mark.parametrize(
    ("findings", "outcome", "status"),
    [
        ([finding("R-35")], Outcome.PASSED, Status.SHOWN),
        ([finding("R-35")], Outcome.FAILED, Status.NOT_SHOWN),
        ([], Outcome.PASSED, Status.NOT_SHOWN),
        ([], Outcome.SKIPPED, Status.NOT_SHOWN),
    ],
)
def test_tests_back_a_control_but_are_not_live_evidence(findings, outcome, status):
    row = assessed(*findings, trace={"R-35": {"tests/a.py::test_a": outcome}})["R-35"]
    assert row.status is status
    assert row.evidence.endswith(f"tests: 1 {outcome}")


def test_the_rows_are_counted_by_kind():
    assurance = assess(QUESTIONS.values(), [finding("R-35")], domain="home", at=AT)
    assert assurance.counts(QuestionKind.THREAT) == {Status.SHOWN: 1, Status.NOT_SHOWN: 0, Status.OPEN: 10}
    assert sum(assurance.counts().values()) == len(QUESTIONS)


@pytest.mark.requirement("R-90")
def test_the_document_for_programs_holds_every_row():
    told = document(assess(QUESTIONS.values(), [finding("T10")], domain="home", at=AT))
    assert [row["question"] for row in told["rows"]] == list(QUESTIONS)
    assert told["counts"]["open"] == sum(row["status"] == "open" for row in told["rows"])


def test_a_trace_is_read_as_make_trace_writes_it():
    tests = [{"id": "tests/a.py::test_a", "outcome": "passed"}]
    value = {"requirements": {"R-01": {"tests": tests}}, "clauses": {}}
    assert parse_trace(value) == {"R-01": {"tests/a.py::test_a": Outcome.PASSED}}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"requirements": []},
        {"requirements": {"R-01": []}},
        {"requirements": {"R-01": {"tests": [{"id": "x"}]}}},
        {"requirements": {"R-01": {"tests": [{"id": "x", "outcome": "maybe"}]}}},
    ],
)
def test_another_shape_is_refused(value):
    with pytest.raises(DecodeError):
        parse_trace(value)
