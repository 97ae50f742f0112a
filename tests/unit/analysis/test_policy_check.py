"""What a policy hardly means is said, and what may be meant so is not called a fault."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.domain.things import AT
from thingstead.analysis import policy_check
from thingstead.analysis.policy_check import check_policy
from thingstead.domain.policy import JoinPolicy, JoinRule, ProfileName, Verdict
from thingstead.domain.serial import Serials, parse_serials

RULE = JoinRule("lamps", ("acme",), ("LX-*",), parse_serials(["*"]), Verdict.ADMIT, "floor-1", "member")
DAY = timedelta(days=1)


def check(*rules, makers=frozenset({"acme", "brook"})):
    found = check_policy(JoinPolicy(ProfileName.HOME, {}, rules), at=AT, makers=makers)
    return [(one.rule, one.message, one.is_fault) for one in found]


def later(**changes):
    return replace(RULE, **{"name": "later", **changes})


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"makers": ()}, "names no maker"),
        ({"models": ()}, "no model"),
        ({"serials": Serials()}, "no serial number"),
        ({"since": AT + DAY, "until": AT + DAY}, "ends before it begins"),
        ({"until": AT}, "decides no more"),
        ({"makers": ("acme", "coral")}, "the maker coral, whose anchor is not trusted"),
    ],
)
def test_a_rule_that_cannot_decide_is_a_fault(rule, says):
    ((name, message, is_fault),) = check(replace(RULE, **rule))
    assert (name, is_fault) == ("lamps", True)
    assert says in message


def test_where_nobody_knows_who_is_trusted_no_maker_is_called_unknown():
    assert check(replace(RULE, makers=("coral",)), makers=None) == []


@pytest.mark.parametrize(
    "hidden",
    [
        {},
        {"models": ("LX-1", "LX-2?")},
        {"serials": parse_serials(["A*"])},
        {"serials": parse_serials(["A-1..A-9", "B"])},
        {"until": AT + DAY},
        {"verdict": Verdict.REFUSE},
    ],
)
def test_a_rule_behind_one_that_names_all_of_its_things_can_never_decide(hidden):
    ((name, message, is_fault),) = check(RULE, later(**hidden))
    assert (name, is_fault) == ("later", True)
    assert "lamps decides before it" in message


@pytest.mark.parametrize(
    "beside",
    [
        {"makers": ("acme", "brook")},
        {"models": ("*",)},
        {"since": AT},
    ],
)
def test_the_same_outcome_for_some_of_the_same_things_is_not_odd(beside):
    first = replace(RULE, until=AT + DAY) if "since" in beside else RULE
    assert check(first, later(**beside)) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"serials": parse_serials(["A-1"])}, {}),
        ({"serials": parse_serials(["A*"])}, {"serials": parse_serials(["*1"])}),
        ({"serials": parse_serials(["A-1..A-5"])}, {"serials": parse_serials(["A-5..A-9"])}),
        ({"serials": parse_serials(["A-?"])}, {"serials": parse_serials(["A-5..A-9", "B"])}),
        ({"models": ("LX-1",)}, {"models": ("LX-?",)}),
    ],
)
def test_another_outcome_for_some_of_the_same_things_is_named_and_no_fault(first, second):
    found = check(replace(RULE, verdict=Verdict.HOLD, **first), later(**second))
    assert found == [("later", "lamps decides otherwise before it about some of the things that it names", False)]


@pytest.mark.parametrize(
    "apart",
    [
        {"makers": ("brook",)},
        {"models": ("MX-*",)},
        {"serials": parse_serials(["B*", "A-6..A-9", "C"])},
        {"since": AT + DAY},
    ],
)
def test_rules_about_different_things_or_times_are_left_alone(apart):
    first = replace(RULE, until=AT + DAY, serials=parse_serials(["A-1..A-5"]), verdict=Verdict.HOLD)
    assert check(first, later(**apart)) == []


def test_a_bill_without_models_lets_a_swapped_one_pass():
    ((_, message, is_fault),) = check(replace(RULE, models=("*",), serials=parse_serials(["A"]), bill="b"))
    assert "any model" in message
    assert not is_fault


def test_a_rule_for_install_codes_needs_no_anchor():
    assert check(replace(RULE, makers=("install code",))) == []


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"makers": ("\u0430cme",)}, "a maker that it names has U+0430, CYRILLIC SMALL LETTER A"),
        ({"models": ("L\u0425-*",)}, "a model that it names has U+0425"),
        ({"zone": "floor\u20101"}, "a zone that it names has U+2010, HYPHEN"),
        ({"zone": "floor\u200b-1"}, "U+200B, ZERO WIDTH SPACE"),
        ({"zone": "floor\t1"}, "U+0009, a character without a name"),
        ({"serials": parse_serials(["A\u0301*"])}, "a serial number that it names has U+0301"),
        ({"serials": parse_serials(["\u0410-0107"], each=True)}, "a serial number that it names has U+0410"),
    ],
)
def test_what_looks_like_something_else_is_named(rule, says):
    found = check(replace(RULE, **rule), makers=None)
    assert [(name, is_fault) for name, _, is_fault in found] == [("lamps", False)]
    assert says in found[0][1]


def test_rules_that_share_a_bill_hold_it_against_itself_once(monkeypatch):
    looked: list[Serials] = []
    original = policy_check._any_of

    def looking(one, other):
        looked.append(one)
        return original(one, other)

    monkeypatch.setattr(policy_check, "_any_of", looking)
    bills = [parse_serials([f"{letter}{number}" for number in range(50)], each=True) for letter in "AB"]
    rules = [replace(RULE, name=f"r{n}", serials=bills[n % 2], zone=str(n)) for n in range(40)]
    check(*rules)
    assert len(looked) <= 8
