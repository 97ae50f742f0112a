"""Before it asks nothing, after it was told the way is open, after that has run out nothing: with real packets."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.namespace, pytest.mark.slow, pytest.mark.spec("RFC 9726 3"), pytest.mark.requirement("R-80")]


@pytest.fixture(scope="module")
def seen():
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.controller.name_stage"],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_before_a_thing_asked_for_a_name_nothing_passes(seen):
    assert seen["before it asked"] is False


def test_what_it_was_told_passes_from_then_on(seen):
    assert seen["told"] == [["198.51.100.2", 1]]
    assert seen["after it asked"] is True


def test_nothing_else_passes_by_that(seen):
    assert (seen["another port"], seen["another server"]) == (False, False)


def test_a_name_that_changes_is_followed(seen):
    assert seen["the new server after a change"] is True


def test_after_its_time_it_passes_no_more_whoever_sleeps(seen):
    assert (seen["the old one after its time"], seen["the new one after its time"]) == (False, False)


def test_what_is_open_when_its_time_is_over_stays_open(seen):
    assert seen["an open connection after its time"] is True


def test_an_answer_that_names_a_neighbour_does_not_reach_the_thing(seen):
    assert seen["told of a neighbour"] == [True, 0]


def test_a_name_at_any_port_ends_as_well(seen):
    assert (seen["any port of a name"], seen["any port after its time"]) == (True, False)


@pytest.mark.spec("RFC 3596 2.2")
@pytest.mark.parametrize("what", ["IPv6", "a translated address"])
def test_an_address_of_the_other_family_passes_from_the_answer_on(seen, what):
    assert seen[what] == [False, True]


@pytest.mark.spec("RFC 1034 3.6.2")
def test_what_a_chain_of_aliases_leads_to_passes_from_the_answer_on(seen):
    assert seen["a chain of aliases"] == [False, True]


def test_a_name_at_any_port_that_changes_is_told_each_time(seen):
    assert [seen[f"told of any port at {address}"] for address in ("198.51.100.2", "198.51.100.3")] == [1, 1]


@pytest.mark.spec("RFC 7766 5")
def test_of_an_answer_too_long_for_a_datagram_all_passes(seen):
    assert (seen["told of many"], seen["the last of many"]) == (240, [False, True])


def test_an_answer_while_rules_are_put_in_force_again_opens_its_way_and_no_other(seen):
    assert seen["an answer while rules are put in force again"] == [True, True]
    assert seen["another port after that"] is False
