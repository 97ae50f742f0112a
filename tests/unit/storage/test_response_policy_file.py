"""What the owner writes of alarms is taken word for word, or refused."""

from datetime import timedelta

import pytest

from thingstead.domain.response_policy import ResponsePolicy, Severity
from thingstead.errors import ConfigError
from thingstead.storage.policy_file import parse_policy


def test_without_a_word_the_safe_values_stand():
    assert parse_policy("").response == ResponsePolicy()


def test_what_is_written_counts():
    text = '[response]\nquarantine_from = "never"\nnever = ["x-*"]\nshare = 0.5\nper_hour = 3\nrest_hours = 0\n'
    text += "lift_hours = 8\n"
    assert parse_policy(text).response == ResponsePolicy(None, ("x-*",), 0.5, 3, timedelta(0), timedelta(hours=8))
    assert parse_policy('[response]\nquarantine_from = "notice"\n').response.quarantine_from is Severity.NOTICE


@pytest.mark.parametrize(
    "line",
    [
        'quarantine_from = "always"',
        'quarantine_from = "high"',
        "share = 0.51",
        "share = 1.0",
        "share = 0",
        "share = nan",
        "per_hour = 0",
        "per_hour = 1001",
        "rest_hours = -1",
        "rest_hours = inf",
        "lift_hours = -1",
        "lift_hours = nan",
        "lift_hours = 8761",
        'only = ["scan"]',
        "never = [1]",
    ],
)
def test_what_would_switch_off_a_site_or_says_nothing_is_refused(line):
    with pytest.raises(ConfigError):
        parse_policy(f"[response]\n{line}\n")
