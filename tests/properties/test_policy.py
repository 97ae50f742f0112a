"""Invariant: any text is a policy or one ConfigError, and no policy admits whom each of its rules passes over."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from thingstead.analysis.glob import covers, meets
from thingstead.analysis.policy_check import check_policy
from thingstead.domain.policy import IdentityFacts, JoinPolicy, JoinRule, ProfileName, Verdict, explain
from thingstead.domain.serial import parse_serials
from thingstead.errors import ConfigError
from thingstead.storage.policy_file import parse_policy

AT = datetime(2026, 11, 23, tzinfo=UTC)
LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "[[rule]]",
                "[bill]",
                "[scope.s]",
                "[granted]",
                "name = 'a'",
                "makers = ['m', 'n']",
                "scope = 's'",
                "verdict = 'hold'",
                "bill = 'b'",
                "b = ['1..9']",
                "serials = ['9..1']",
                "count = 99999999999999999999",
                "since = 9999-12-31T23:59:59-23:59",
                "until = 2026-02-30T00:00:00Z",
                "'/t' = ['GET']",
                "rule = [[[[{}]]]]",
            ]
        ),
        st.text(max_size=12),
    ),
    max_size=12,
)
PATTERN = st.text("ab*?", max_size=5)
NAME = st.text("ab", max_size=5)
SERIAL = st.sampled_from(["a", "b1", "a-1..a-3", "a*", "*", "?"])
RULES = st.lists(
    st.builds(
        JoinRule,
        name=st.uuids().map(str),
        makers=st.lists(st.sampled_from("mn"), max_size=2).map(tuple),
        models=st.lists(PATTERN, max_size=2).map(tuple),
        serials=st.lists(SERIAL, max_size=2).map(parse_serials),
        verdict=st.sampled_from(Verdict),
        zone=st.just(""),
        scope=st.just("s"),
        since=st.one_of(st.none(), st.just(AT)),
        until=st.one_of(st.none(), st.just(AT), st.just(AT + timedelta(days=1))),
        bill=st.sampled_from(["", "b"]),
    ),
    max_size=4,
).map(tuple)
FACTS = st.builds(
    IdentityFacts,
    maker=st.sampled_from("mno"),
    model=NAME,
    serial=st.sampled_from(["a", "b1", "a-2", "a-4", "c"]),
    thumbprint=st.just(b""),
    method=st.just("none"),
)


@given(LINES)
def test_any_text_is_a_policy_or_a_config_error(lines):
    try:
        policy = parse_policy("\n".join(lines))
    except ConfigError:
        return
    check_policy(policy.join, at=AT, makers=frozenset())


@given(RULES, FACTS, st.sampled_from(ProfileName))
def test_nobody_is_admitted_but_by_the_first_rule_that_has_no_objection(rules, facts, profile):
    told = explain(facts, JoinPolicy(profile, {}, rules), at=AT, present=lambda _rule: 0)
    open_rules = [rule for rule in rules if not rule.objection(facts, at=AT)]
    assert [one.rule for one in told.passed] == [rule.name for rule in rules][: len(told.passed)]
    if told.decision.verdict is Verdict.ADMIT:
        assert (open_rules[0].name, open_rules[0].verdict) == (told.decision.rule, Verdict.ADMIT)
    if not open_rules:
        assert len(told.passed) == len(rules)


@given(RULES, FACTS)
def test_a_rule_that_is_called_never_to_decide_decides_about_nobody(rules, facts):
    policy = JoinPolicy(ProfileName.HOME, {}, rules)
    idle = {one.rule for one in check_policy(policy, at=AT, makers=None) if "never decide" in one.message}
    decision = explain(facts, policy, at=AT, present=lambda _rule: 0).decision
    assert decision.rule not in idle


@given(PATTERN, PATTERN, NAME)
def test_comparing_patterns_agrees_with_every_name(one, other, name):
    facts = IdentityFacts("m", name, "a", b"", "")
    fits = [_rule(pattern).names(facts) for pattern in (one, other)]
    if covers(one, other) and fits[1]:
        assert fits[0]
    if all(fits):
        assert meets(one, other)


def _rule(pattern):
    return JoinRule("r", ("m",), (pattern,), parse_serials(["*"]), Verdict.ADMIT, "", "")
