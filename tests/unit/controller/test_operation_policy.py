"""Whoever asks what would be decided learns it as it would be decided, and decides nothing by asking."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.test_admission import NEWCOMER, SCOPES, Door, known, rule
from tests.unit.domain.things import AT
from thingstead.controller.operation import Operations
from thingstead.controller.operation_policy import rows
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.policy import Verdict


def ask(door, **arguments):
    named = {"maker": "acme", "model": "LX-1", "serial": "A0001"} | arguments
    table = Operations(*rows(door.admission, clock=door.clock))
    return asyncio.run(table.answer({"operation": "policy.explain", "arguments": named}))


@pytest.mark.parametrize("at", ["2027-01-01T00:00:00", "tomorrow", 7])
def test_a_time_without_its_offset_is_refused(at):
    assert ask(Door(rule()), at=at)["error"]["kind"] == "ConfigError"


def test_it_is_told_which_rule_decides_and_why_those_before_it_do_not():
    door = Door(rule(Verdict.REFUSE, name="boilers", models=("MX-*",)), rule())
    assert ask(door)["result"] == {
        "verdict": "admit",
        "rule": "lamps",
        "zone": "floor-1",
        "rights": sorted(SCOPES["member"].grants),
        "passed": [{"rule": "boilers", "because": "it is about models MX-*"}],
    }
    assert door.things == []


def test_it_may_be_asked_about_another_time():
    door = Door(rule(until=AT + timedelta(days=1)))
    assert ask(door)["result"]["verdict"] == "admit"
    told = ask(door, at=(AT + timedelta(days=1)).isoformat())["result"]
    assert (told["verdict"], told["rule"], told["rights"]) == ("refuse", "unlisted", [])


def test_about_a_thing_that_was_retired_no_rule_is_asked():
    told = ask(Door(rule(), store=known(LifecycleState.DECOMMISSIONED)))["result"]
    assert told["verdict"] == "refuse"
    assert told["rule"].startswith("before any rule: ")


def test_who_is_in_counts_as_at_a_join():
    door = Door(rule(count=1))
    door.come(NEWCOMER)
    assert ask(door)["result"]["verdict"] == "admit"
    assert ask(door, serial="A0002")["result"]["rule"] == "lamps, but its 1 are in"
