"""The assurance document: every question -> control, evidence, remaining risk, and whether it was seen to hold (R-90).

A fold over what planes and controller can show at one instant. Nothing here knows a figure: a question that
nobody answers is a row too, and says what is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from thingstead.analysis.question import REQUIREMENTS, Question, QuestionKind
from thingstead.domain.plane import Finding
from thingstead.errors import DecodeError

__all__ = ["Assurance", "Outcome", "Row", "Status", "Trace", "assess", "document", "parse_trace"]


class Status(StrEnum):
    """How an answer stands."""

    SHOWN = "shown"
    NOT_SHOWN = "not shown now"
    OPEN = "open"


class Outcome(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


Trace = Mapping[str, Mapping[str, Outcome]]
"""Requirement -> its tests by id, and how each ended."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question, answered.

    Attributes:
        question: what was asked.
        status: shown: every control named was seen to hold, and no requirement under it lacks a finding; not
            shown now: a control is there, and evidence is missing or against it; open: nothing is there.
        control: what stands against it; never empty.
        evidence: what was seen; never empty.
        remaining_risk: what is not covered, and which requirements under it are open; never empty.
        findings: what it is drawn from.
        tests: tests that back it, by id, and how they ended.
    """

    question: Question
    status: Status
    control: str
    evidence: str
    remaining_risk: str
    findings: tuple[Finding, ...]
    tests: Mapping[str, Outcome]


@dataclass(frozen=True, slots=True)
class Assurance:
    """The document.

    Attributes:
        domain: whose.
        at: the instant that it speaks of.
        rows: one per question, in the order of the questions.
    """

    domain: str
    at: datetime
    rows: tuple[Row, ...]

    def counts(self, kind: QuestionKind | None = None) -> dict[Status, int]:
        """How many rows, of one kind or in all, stand how."""
        counted = Counter(row.status for row in self.rows if kind is None or row.question.kind is kind)
        return {status: counted[status] for status in Status}


def assess(
    questions: Iterable[Question],
    findings: Iterable[Finding],
    *,
    domain: str,
    at: datetime,
    trace: Trace | None = None,
) -> Assurance:
    """Answer every question from what was found; a threat or challenge is answered by its requirements too."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.question, []).append(finding)
    return Assurance(domain, at, tuple([_row(question, found, trace or {}) for question in questions]))


def parse_trace(value: Any) -> Trace:
    """Read what `make trace` writes, as decoded from JSON.

    Raises:
        DecodeError: it has another shape.
    """
    try:
        return {
            str(number): {str(test["id"]): Outcome(test["outcome"]) for test in row["tests"]}
            for number, row in value["requirements"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DecodeError("expected a trace of requirements and their tests, as `make trace` writes it") from error


def document(assurance: Assurance) -> dict[str, Any]:
    """The document for programs; fields are added to it, never renamed."""
    return {
        "standard": "RFC 8576",
        "domain": assurance.domain,
        "at": assurance.at.isoformat(),
        "counts": {status.value: count for status, count in assurance.counts().items()},
        "rows": [
            {
                "question": row.question.id,
                "kind": row.question.kind.value,
                "title": row.question.title,
                "spec": row.question.spec,
                "status": row.status.value,
                "control": row.control,
                "evidence": row.evidence,
                "remaining_risk": row.remaining_risk,
                "findings": [_described(finding) for finding in row.findings],
                "tests": [{"id": test, "outcome": outcome.value} for test, outcome in row.tests.items()],
            }
            for row in assurance.rows
        ],
    }


def _row(question: Question, found: Mapping[str, list[Finding]], trace: Trace) -> Row:
    findings = [one for name in (question.id, *question.rests_on) for one in found.get(name, ())]
    tests = {test: ended for name in (question.id, *question.rests_on) for test, ended in trace.get(name, {}).items()}
    if not findings and not tests:
        return Row(question, Status.OPEN, "none yet", "none", question.missing, (), {})
    unseen = [name for name in question.rests_on if name in REQUIREMENTS and not found.get(name)]
    unanswered = [name for name in unseen if not trace.get(name)]
    risks = _told((_speaker(one), one.remaining_risk) for one in findings) or question.missing
    if unanswered:
        risks = f"{risks}; open: {', '.join(unanswered)}"
    return Row(
        question,
        _status(findings, tests, unseen),
        _told((_speaker(one), one.control) for one in findings) or "held by tests; no plane shows it live",
        _evidence(findings, tests),
        risks,
        tuple(findings),
        tests,
    )


def _status(findings: list[Finding], tests: Mapping[str, Outcome], unseen: list[str]) -> Status:
    """A part that nobody shows keeps the whole from being shown, however well the other parts hold."""
    holds = bool(findings) and all(finding.holds for finding in findings)
    return Status.SHOWN if holds and not unseen and Outcome.FAILED not in tests.values() else Status.NOT_SHOWN


def _evidence(findings: list[Finding], tests: Mapping[str, Outcome]) -> str:
    seen = _told((_speaker(one), one.evidence if one.holds else f"NOT now: {one.evidence}") for one in findings)
    counted = Counter(tests.values())
    ran = ", ".join(f"{counted[outcome]} {outcome}" for outcome in Outcome if counted[outcome])
    return "; ".join(part for part in (seen, f"tests: {ran}" if ran else "") if part)


def _told(parts: Iterable[tuple[str, str]]) -> str:
    """Who said what, each thing once; with the speaker where there is more than one."""
    said: dict[str, dict[str, None]] = {}
    for speaker, text in parts:
        said.setdefault(speaker, {})[text or "not said"] = None
    told = {speaker: "; ".join(texts) for speaker, texts in said.items()}
    return "; ".join(f"{speaker}: {text}" if len(told) > 1 else text for speaker, text in told.items())


def _speaker(finding: Finding) -> str:
    return "controller" if finding.plane is None else finding.plane.value


def _described(finding: Finding) -> dict[str, Any]:
    return {
        "question": finding.question,
        "speaker": _speaker(finding),
        "control": finding.control,
        "evidence": finding.evidence,
        "remaining_risk": finding.remaining_risk,
        "holds": finding.holds,
    }
