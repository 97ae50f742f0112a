"""A policy looked at before it decides: what is odd is named, and which rule would decide, with no domain running."""

import json

import pytest

from thingstead.simulator.factory import make_maker

RULES = """
[scope.thing]
"/telemetry" = ["POST"]

[bill]
floor-1 = ["A-0001..A-0100"]

[[rule]]
name = "stolen"
makers = ["aurora"]
serials = ["A-0007"]
verdict = "refuse"

[[rule]]
name = "lamps"
makers = ["aurora"]
models = ["LX-*"]
bill = "floor-1"
zone = "floor-1"
scope = "thing"
until = 2027-01-01T00:00:00Z
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.toml").write_text(RULES)
    return tmp_path


def explain(run, *words):
    return run("policy", "explain", "--maker", "aurora", "--model", "LX-1", "--json", *words)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"\xff", "UTF-8"),
        (b"[", "cannot be read"),
        (b"[[rule]]\nname = 'a'\nmakers = ['b']\n", "gives the scope"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_the_place(here, run, text, says):
    (here / "policy.toml").write_bytes(text)
    for words in (("policy", "check", "policy.toml"), ("policy", "explain", "--file", "policy.toml", *NAMED)):
        code, _, err = run(*words)
        assert code == 60
        assert says in err


NAMED = ("--maker", "aurora", "--model", "LX-1", "--serial", "A-0001")


def test_what_is_odd_is_told_and_only_a_fault_is_a_failure(here, run):
    code, out, _ = run("policy", "check", "policy.toml")
    assert code == 0
    assert "stolen decides otherwise before it" in out
    (here / "policy.toml").write_text(RULES.replace("2027", "2020"))
    code, out, _ = run("policy", "check", "policy.toml")
    assert code == 60
    assert "it decides no more" in out


def test_beside_a_domain_s_anchors_an_unknown_maker_is_a_fault(here, run, utc):
    assert run("init", "home")[0] == 0
    policy = here / "home" / "policy.toml"
    policy.write_text(RULES)
    code, out, _ = run("policy", "check", "home/policy.toml", "--json")
    assert code == 60
    assert [one["rule"] for one in json.loads(out) if one["is_fault"]] == ["stolen", "lamps"]
    make_maker(here / "aurora", name="aurora", domain="aurora.example", at=utc)
    assert run("trust", "add", "home", "aurora/aurora.anchor")[0] == 0
    assert run("policy", "check", "home/policy.toml")[0] == 0


@pytest.mark.requirement("R-23")
@pytest.mark.parametrize(
    ("serial", "at", "verdict", "rule"),
    [
        ("A-0001", "2026-12-31T23:59:59Z", "admit", "lamps"),
        ("A-0007", "2026-12-31T23:59:59Z", "refuse", "stolen"),
        ("A-0101", "2026-12-31T23:59:59Z", "refuse", "lamps, but it is not what the bill floor-1 says"),
        ("A-0101", "2027-01-01T01:00:00+01:00", "hold", "unlisted"),
    ],
)
def test_the_rule_that_would_decide_is_named_offline(here, run, serial, at, verdict, rule):
    code, out, _ = explain(run, "--serial", serial, "--at", at, "--file", "policy.toml")
    told = json.loads(out)
    assert (code, told["verdict"], told["rule"]) == (0, verdict, rule)


def test_those_that_were_passed_over_are_named_with_the_reason(here, run):
    _, out, _ = run("policy", "explain", *NAMED, "--file", "policy.toml", "--at", "2026-12-01T00:00:00Z")
    assert "stolen" in out
    assert "it is about serials A-0007" in out
    assert "next: thingstead thing list" in out


@pytest.mark.parametrize("at", ["tomorrow", "2026-12-01T00:00:00", "2026-13-01T00:00:00Z"])
def test_a_time_that_is_none_is_refused(here, run, at):
    code, out, _ = explain(run, "--serial", "A-0001", "--at", at, "--file", "policy.toml")
    assert code == 60
    assert "offset" in out
