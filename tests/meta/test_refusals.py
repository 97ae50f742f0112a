"""What counts as a test of a refusal, and that these are the majority where things join and leave."""

import subprocess
import sys

import pytest

from tests.refusals import ROOT, expects_refusal
from thingstead.errors import DecodeError, SecurityError
from thingstead.protocols.coap.registry import Code


def waits_for_ours():
    with pytest.raises((ValueError, DecodeError)):
        raise DecodeError("x")


def waits_for_another():
    with pytest.raises(ValueError, match="x"):
        raise ValueError("x")


def waits_for_what_it_is_given(error):
    with pytest.raises(error):
        raise error("x")


def looks_for_one(found=None):
    assert isinstance(found, SecurityError)


def compares(answer=Code.CHANGED):
    assert answer == Code.FORBIDDEN


def accepts(answer=Code.CHANGED):
    assert answer == Code.CHANGED


def calls():
    compares()


@pytest.mark.parametrize(
    ("function", "parameters", "refuses"),
    [
        (waits_for_ours, {}, True),
        (waits_for_what_it_is_given, {"error": SecurityError}, True),
        (looks_for_one, {}, True),
        (compares, {}, True),
        (calls, {}, True),
        (waits_for_what_it_is_given, {"error": KeyError}, False),
        (waits_for_another, {}, False),
        (accepts, {}, False),
        (lambda: None, {}, False),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_is_seen_to_expect_a_refusal_counts_as_one(function, parameters, refuses):
    assert expects_refusal(function, parameters) is refuses


@pytest.mark.slow
@pytest.mark.requirement("R-27")
def test_refusals_are_the_majority_where_things_join_and_leave():
    done = subprocess.run(
        [sys.executable, "-m", "tests.refusals"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in all" in done.stdout
