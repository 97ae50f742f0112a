"""What is odd in a join policy: rules that never decide, that get in each other's way, or that name nobody known."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations

from thingstead.analysis.glob import covers, meets
from thingstead.domain.policy import JoinPolicy, JoinRule, Verdict
from thingstead.domain.serial import Serials
from thingstead.protocols.cwt.credential import INTRODUCED

__all__ = ["PolicyFinding", "check_policy"]

_PLAIN = 1 << 12
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
    serials = _SerialsCompared()
    for earlier, later in combinations(policy.rules, 2):
        found += _together(earlier, later, serials)
    return tuple(found)


class _SerialsCompared:
    """Sets of serial numbers held against each other, each pair once: hundreds of rules may share a long bill."""

    def __init__(self) -> None:
        self._all: dict[tuple[int, int], bool] = {}
        self._any: dict[tuple[int, int], bool] = {}

    def all_of(self, wide: Serials, narrow: Serials) -> bool:
        """Whether `wide` has all of `narrow`."""
        pair = id(wide), id(narrow)
        if pair not in self._all:
            self._all[pair] = wide is narrow or _all_of(wide, narrow)
        return self._all[pair]

    def any_of(self, one: Serials, other: Serials) -> bool:
        """Whether some serial number is of both."""
        pair = id(one), id(other)
        if pair not in self._any:
            self._any[pair] = one is other or _any_of(one, other) or _any_of(other, one)
        return self._any[pair]


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
    yield from _lookalikes(rule)
    if rule.bill and "*" in rule.models and rule.verdict is Verdict.ADMIT:
        yield PolicyFinding(rule.name, f"the bill {rule.bill} is for any model: a swapped one passes", is_fault=False)


def _lookalikes(rule: JoinRule) -> Iterator[PolicyFinding]:
    """Characters that look like others, or that nobody sees: two names may be one to whoever reads the policy."""
    words = {"maker": rule.makers, "model": rule.models, "zone": (rule.zone,), "rule": (rule.name,)}
    words["serial number"] = (*rule.serials.patterns, *rule.serials.listed)
    for kind, names in words.items():
        text = "".join(names)
        if not (text.isascii() and text.isprintable()):
            strange = min(one for one in text if not (one.isascii() and one.isprintable()))
            called = unicodedata.name(strange, "a character without a name")
            message = f"a {kind} that it names has U+{ord(strange):04X}, {called}: see that it is meant"
            yield PolicyFinding(rule.name, message, is_fault=False)


def _together(earlier: JoinRule, later: JoinRule, serials: _SerialsCompared) -> Iterator[PolicyFinding]:
    if not set(earlier.makers) & set(later.makers) or _begin(later) >= _end(earlier) or _begin(earlier) >= _end(later):
        return
    if _shadows(earlier, later, serials):
        yield PolicyFinding(later.name, f"it can never decide: all that it names {earlier.name} decides before it")
    elif _outcome(earlier) != _outcome(later) and _overlap(earlier, later, serials):
        message = f"{earlier.name} decides otherwise before it about some of the things that it names"
        yield PolicyFinding(later.name, message, is_fault=False)


def _shadows(earlier: JoinRule, later: JoinRule, serials: _SerialsCompared) -> bool:
    return (
        set(later.makers) <= set(earlier.makers)
        and _begin(earlier) <= _begin(later)
        and _end(later) <= _end(earlier)
        and all(any(covers(wide, narrow) for wide in earlier.models) for narrow in later.models)
        and serials.all_of(earlier.serials, later.serials)
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


def _overlap(earlier: JoinRule, later: JoinRule, serials: _SerialsCompared) -> bool:
    is_alike = any(_meet(one, other) for one in earlier.models for other in later.models)
    return is_alike and serials.any_of(earlier.serials, later.serials)


def _any_of(one: Serials, other: Serials) -> bool:
    return (
        any(serial in other for serial in one.listed)
        or any(_meet(pattern, against) for pattern in one.patterns for against in other.patterns)
        or any(span.meets(against) for span in one.ranges for against in other.ranges)
        or any(covers(pattern, span.pattern) for pattern in one.patterns for span in other.ranges)
    )


def _meet(one: str, other: str) -> bool:
    """As `meets`; of patterns that are longer than anybody writes nothing is said."""
    return len(one) * len(other) <= _PLAIN and meets(one, other)


def _outcome(rule: JoinRule) -> tuple[Verdict, str, str]:
    return rule.verdict, rule.zone, rule.scope


def _begin(rule: JoinRule) -> datetime:
    return _FIRST if rule.since is None else rule.since


def _end(rule: JoinRule) -> datetime:
    return _LAST if rule.until is None else rule.until
