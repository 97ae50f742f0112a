"""What an area module takes and yields."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["ManifestEntry", "Outcome", "Verdict", "failed", "not_covered", "passed"]

_MAX_REASON = 1000


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One line of MANIFEST.json.

    Attributes:
        area: a standard's short name, e.g. ``group-oscore``.
        file: path below the folder of the manifest.
        cases: how many cases the manifest says the file holds; 0 for a companion of another file.
        source: where the file was published.
        note: what a reader of the file must know, or empty.
    """

    area: str
    file: str
    cases: int
    source: str
    note: str


class Verdict(Enum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_COVERED = "not_covered"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one case, with the reason unless it passed."""

    case: str
    verdict: Verdict
    reason: str = ""


def passed(case: object) -> Outcome:
    """The case held."""
    return Outcome(str(case), Verdict.PASSED)


def failed(case: object, reason: object) -> Outcome:
    """The case did not hold: what was expected, what came; a long reason is cut."""
    return Outcome(str(case), Verdict.FAILED, str(reason)[:_MAX_REASON])


def not_covered(case: object, reason: str) -> Outcome:
    """The case needs something that we do not implement; the reason is the same for all cases of its kind."""
    return Outcome(str(case), Verdict.NOT_COVERED, reason)
