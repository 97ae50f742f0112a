from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.policy import (
    PROFILES,
    Decision,
    IdentityFacts,
    JoinPolicy,
    JoinRule,
    ProfileName,
    Verdict,
    explain,
    record,
)
from thingstead.domain.serial import parse_serials
from thingstead.protocols.ace.aif import Permission, Scope

_SCOPE = Scope({"/telemetry": int(Permission.POST)})
_FACTS = IdentityFacts("acme", "LX-1", "A0001", bytes(32), "edhoc-3-2")
_RULE = JoinRule("lamps", ("acme",), ("LX-*",), parse_serials(["A????"]), Verdict.ADMIT, "floor-1", "lamp")


def _policy(*rules: JoinRule, profile: ProfileName = ProfileName.BUILDING) -> JoinPolicy:
    return JoinPolicy(profile, {"lamp": _SCOPE}, rules)


def decide(facts, policy, *, at, inside=0, is_member=False):
    return explain(facts, policy, at=at, present=lambda _rule: inside, is_member=is_member).decision


@pytest.mark.requirement("R-59")
def test_a_rule_that_names_the_thing_admits_it_to_its_zone_with_its_scope():
    assert decide(_FACTS, _policy(_RULE), at=AT) == Decision(Verdict.ADMIT, "lamps", "floor-1", _SCOPE)


@pytest.mark.requirement("R-59")
@pytest.mark.parametrize(
    "changed",
    [
        {"maker": "acme2"},
        {"maker": "acm*"},
        {"maker": "ACME"},
        {"model": "MX-1"},
        {"model": "lx-1"},
        {"serial": "A001"},
        {"serial": "B0001"},
        {"serial": "A00011"},
    ],
)
def test_an_authenticated_thing_that_no_rule_names_is_not_admitted(changed):
    decision = decide(replace(_FACTS, **changed), _policy(_RULE), at=AT)
    assert decision == Decision(Verdict.REFUSE, "unlisted")


@pytest.mark.parametrize("verdict", Verdict)
def test_where_each_is_approved_no_rule_admits_by_itself_and_zone_and_scope_wait(verdict):
    policy = replace(_policy(replace(_RULE, verdict=verdict)), approve_each=True)
    decision = decide(_FACTS, policy, at=AT)
    assert decision.verdict is (Verdict.REFUSE if verdict is Verdict.REFUSE else Verdict.HOLD)
    assert decision.zone == "floor-1"
    assert decision.scope == (None if verdict is Verdict.REFUSE else _SCOPE)


@pytest.mark.parametrize("profile", ProfileName)
def test_an_empty_policy_admits_nothing_under_any_profile(profile):
    decision = decide(_FACTS, _policy(profile=profile), at=AT)
    assert decision.verdict in {Verdict.HOLD, Verdict.REFUSE}
    assert decision.scope is None
    assert set(PROFILES) == set(ProfileName)


def test_the_first_rule_that_names_the_thing_decides():
    stolen = JoinRule("stolen", ("acme",), ("*",), parse_serials(["A0001"]), Verdict.REFUSE, "", "")
    assert decide(_FACTS, _policy(stolen, _RULE), at=AT).rule == "stolen"
    assert decide(_FACTS, _policy(_RULE, stolen), at=AT).rule == "lamps"


def test_a_refused_thing_gets_no_scope_and_a_held_one_gets_it_from_a_person():
    refused = decide(_FACTS, _policy(replace(_RULE, verdict=Verdict.REFUSE)), at=AT)
    assert refused == Decision(Verdict.REFUSE, "lamps", "floor-1")
    held = decide(_FACTS, _policy(replace(_RULE, verdict=Verdict.HOLD)), at=AT)
    assert held == Decision(Verdict.HOLD, "lamps", "floor-1", _SCOPE)


def test_a_rule_ends_at_its_instant():
    rule = replace(_RULE, until=AT)
    assert decide(_FACTS, _policy(rule), at=AT - timedelta(microseconds=1)).verdict is Verdict.ADMIT
    assert decide(_FACTS, _policy(rule), at=AT).verdict is Verdict.REFUSE


@pytest.mark.spec("RFC 8576 5.5")
def test_a_thing_whose_support_has_ended_waits_for_a_person():
    decision = decide(replace(_FACTS, support_end=AT), _policy(_RULE), at=AT)
    assert (decision.verdict, decision.scope) == (Verdict.HOLD, _SCOPE)
    assert decide(replace(_FACTS, support_end=AT + timedelta(days=1)), _policy(_RULE), at=AT).scope is _SCOPE


@pytest.mark.requirement("R-59")
@pytest.mark.parametrize("verdict", Verdict)
def test_authentication_and_authorization_are_recorded_apart(verdict):
    who, whether = record(_FACTS, Decision(verdict, "lamps", "floor-1"), thing=a_thing().id, actor="registrar", at=AT)
    assert (who.kind, who.cause, who.details["serial"]) == (Kind.AUTHENTICATION, "edhoc-3-2", "A0001")
    assert "verdict" not in who.details
    assert (whether.kind, whether.cause, whether.details["rule"]) == (Kind.AUTHORIZATION, verdict.value, "lamps")
    assert "serial" not in whether.details


def test_a_rule_begins_at_its_instant():
    rule = replace(_RULE, since=AT)
    assert decide(_FACTS, _policy(rule), at=AT - timedelta(microseconds=1)).verdict is Verdict.REFUSE
    assert decide(_FACTS, _policy(rule), at=AT).verdict is Verdict.ADMIT


@pytest.mark.parametrize("inside", [0, 1, 2, 3])
def test_one_more_than_a_rule_counts_waits_for_a_person(inside):
    decision = decide(_FACTS, _policy(replace(_RULE, count=2)), at=AT, inside=inside)
    assert decision.verdict is (Verdict.ADMIT if inside < 2 else Verdict.HOLD)
    assert decision.rule == ("lamps" if inside < 2 else "lamps, but its 2 are in")


_BILL = replace(_RULE, serials=parse_serials(["A0001", "A0007..A0009"], each=True), bill="floor-1")


@pytest.mark.requirement("R-23")
@pytest.mark.parametrize("profile", ProfileName)
@pytest.mark.parametrize(
    "swapped", [{"serial": "A0002"}, {"serial": "A0010"}, {"model": "MX-1"}, {"model": "MX-1", "serial": "A0007"}]
)
def test_a_thing_that_is_in_part_what_was_ordered_is_blocked_under_any_profile(profile, swapped):
    decision = decide(replace(_FACTS, **swapped), _policy(_BILL, profile=profile), at=AT)
    assert (decision.verdict, decision.scope) == (Verdict.REFUSE, None)
    assert decision.rule == "lamps, but it is not what the bill floor-1 says"


@pytest.mark.requirement("R-23")
@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"maker": "brook", "serial": "A0002"}, {}),
        ({"serial": "A0002"}, {"until": AT}),
        ({"serial": "A0002"}, {"bill": ""}),
    ],
)
def test_of_another_maker_or_after_its_time_a_bill_says_nothing(changed, rule):
    policy = _policy(replace(_BILL, **rule), profile=ProfileName.HOME)
    assert decide(replace(_FACTS, **changed), policy, at=AT) == Decision(Verdict.HOLD, "unlisted")


@pytest.mark.requirement("R-23")
def test_what_is_on_a_bill_is_admitted_and_a_second_bill_is_asked_before_anything_is_blocked():
    upstairs = replace(_BILL, name="upstairs", serials=parse_serials(["A0002"], each=True), bill="floor-2")
    policy = _policy(_BILL, upstairs)
    assert decide(_FACTS, policy, at=AT).rule == "lamps"
    assert decide(replace(_FACTS, serial="A0002"), policy, at=AT).rule == "upstairs"


def test_an_explanation_names_each_rule_that_was_passed_over_and_the_first_thing_that_it_lacks():
    rules = (
        replace(_RULE, name="maker", makers=("brook", "coral")),
        replace(_RULE, name="model", models=("MX-*",)),
        replace(_RULE, name="serial", serials=parse_serials(["B*"])),
        replace(_BILL, name="bill", serials=parse_serials(["A0002"])),
        replace(_RULE, name="early", since=AT + timedelta(days=1)),
        replace(_RULE, name="late", until=AT),
    )
    told = explain(_FACTS, _policy(*rules, _RULE), at=AT, present=lambda _rule: 0)
    assert told.decision.rule == "lamps"
    assert [(one.rule, one.because) for one in told.passed] == [
        ("maker", "it is about brook or coral"),
        ("model", "it is about models MX-*"),
        ("serial", "it is about serials B*"),
        ("bill", "the bill floor-1 does not list it"),
        ("early", f"it counts from {(AT + timedelta(days=1)).isoformat()}"),
        ("late", f"it ended at {AT.isoformat()}"),
    ]


@pytest.mark.requirement("R-77")
@pytest.mark.parametrize("is_member", [False, True])
def test_whose_support_has_ended_waits_when_it_is_new_and_not_when_it_is_in(is_member):
    policy, facts = _policy(_RULE), replace(_FACTS, support_end=AT)
    told = explain(facts, policy, at=AT, present=lambda _rule: 0, is_member=is_member)
    assert told.decision.verdict is (Verdict.ADMIT if is_member else Verdict.HOLD)


def test_for_who_is_in_no_rule_is_full_and_one_whose_time_is_over_still_admits():
    full, over = replace(_RULE, count=1), replace(_RULE, until=AT)
    assert decide(_FACTS, _policy(full), at=AT, inside=9, is_member=True).verdict is Verdict.ADMIT
    assert decide(_FACTS, _policy(over), at=AT, is_member=True).verdict is Verdict.ADMIT


@pytest.mark.parametrize(
    "rule",
    [
        replace(_RULE, until=AT, verdict=Verdict.HOLD),
        replace(_RULE, until=AT, models=("MX-*",)),
        replace(_RULE, since=AT + timedelta(days=1)),
    ],
)
def test_who_is_in_is_not_kept_by_a_rule_that_never_took_it_in(rule):
    assert decide(_FACTS, _policy(rule), at=AT, is_member=True).rule == "unlisted"


def test_a_rule_that_counts_now_goes_before_one_that_is_over_also_for_who_is_in():
    over, stolen = replace(_RULE, until=AT), replace(_RULE, name="stolen", verdict=Verdict.REFUSE)
    assert decide(_FACTS, _policy(over, stolen), at=AT, is_member=True).verdict is Verdict.REFUSE
    moved = replace(_RULE, name="moved", zone="floor-2")
    assert decide(_FACTS, _policy(over, moved), at=AT, is_member=True).zone == "floor-2"
