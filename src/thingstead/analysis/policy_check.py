"""What is odd in a join policy: rules that never decide, that get in each other's way, or that name nobody known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations

from thingstead.analysis.glob import covers, meets
from thingstead.domain.policy import JoinPolicy, JoinRule, Verdict
from thingstead.domain.serial import Serials
from thingstead.protocols.cwt.credential import INTRODUCED

__all__ = ["PolicyFinding", "check_policy"]

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PolicyFinding:
    """One oddity.

    Attributes:
        rule: the rule's name.
        message: what is odd, in a sentence.
        is_fault: the policy does not do what is written; else it may be meant so.
    """

    rule: str
    message: str
    is_fault: bool = True


def check_policy(policy: JoinPolicy, *, at: datetime, makers: frozenset[str] | None) -> tuple[PolicyFinding, ...]:
    """Look for what was hardly meant; where a comparison of patterns is not plain, nothing is said.

    Args:
        policy: as it was read.
        at: now.
        makers: names of the anchors that are trusted; None where that is not known.
    """
    found = [finding for rule in policy.rules for finding in _alone(rule, at, makers)]
    for earlier, later in combinations(policy.rules, 2):
        found += _together(earlier, later)
    return tuple(found)


def _alone(rule: JoinRule, at: datetime, makers: frozenset[str] | None) -> Iterator[PolicyFinding]:
    if not rule.makers or not rule.models or rule.serials == Serials():
        yield PolicyFinding(rule.name, "it can never decide: it names no maker, no model or no serial number")
    if _begin(rule) >= _end(rule):
        yield PolicyFinding(rule.name, "it can never decide: it ends before it begins to count")
    elif _end(rule) <= at:
        yield PolicyFinding(rule.name, f"it decides no more: it ended at {_end(rule).isoformat()}")
    for maker in rule.makers:
        if makers is not None and maker not in {*makers, INTRODUCED}:
            yield PolicyFinding(rule.name, f"it names the maker {maker}, whose anchor is not trusted")
    if rule.bill and "*" in rule.models and rule.verdict is Verdict.ADMIT:
        yield PolicyFinding(rule.name, f"the bill {rule.bill} is for any model: a swapped one passes", is_fault=False)


def _together(earlier: JoinRule, later: JoinRule) -> Iterator[PolicyFinding]:
    if not set(earlier.makers) & set(later.makers) or _begin(later) >= _end(earlier) or _begin(earlier) >= _end(later):
        return
    if _shadows(earlier, later):
        yield PolicyFinding(later.name, f"it can never decide: all that it names {earlier.name} decides before it")
    elif _outcome(earlier) != _outcome(later) and _overlap(earlier, later):
        message = f"{earlier.name} decides otherwise before it about some of the things that it names"
        yield PolicyFinding(later.name, message, is_fault=False)


def _shadows(earlier: JoinRule, later: JoinRule) -> bool:
    return (
        set(later.makers) <= set(earlier.makers)
        and _begin(earlier) <= _begin(later)
        and _end(later) <= _end(earlier)
        and all(any(covers(wide, narrow) for wide in earlier.models) for narrow in later.models)
        and _all_of(earlier.serials, later.serials)
    )


def _all_of(wide: Serials, narrow: Serials) -> bool:
    return (
        all(serial in wide for serial in narrow.listed)
        and all(any(covers(one, pattern) for one in wide.patterns) for pattern in narrow.patterns)
        and all(
            any(covers(one, span.pattern) for one in wide.patterns) or any(one.holds(span) for one in wide.ranges)
            for span in narrow.ranges
        )
    )


def _overlap(earlier: JoinRule, later: JoinRule) -> bool:
    return any(meets(one, other) for one in earlier.models for other in later.models) and (
        _any_of(earlier.serials, later.serials) or _any_of(later.serials, earlier.serials)
    )


def _any_of(one: Serials, other: Serials) -> bool:
    return (
        any(serial in other for serial in one.listed)
        or any(meets(pattern, against) for pattern in one.patterns for against in other.patterns)
        or any(span.meets(against) for span in one.ranges for against in other.ranges)
        or any(covers(pattern, span.pattern) for pattern in one.patterns for span in other.ranges)
    )


def _outcome(rule: JoinRule) -> tuple[Verdict, str, str]:
    return rule.verdict, rule.zone, rule.scope


def _begin(rule: JoinRule) -> datetime:
    return _FIRST if rule.since is None else rule.since


def _end(rule: JoinRule) -> datetime:
    return _LAST if rule.until is None else rule.until
