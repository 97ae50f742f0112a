"""The time of a thing without a clock never runs back, and never ahead of what it was shown."""

from datetime import UTC, datetime, timedelta

import pytest

from thingstead.agent.kept_time import KeptTime

AT = datetime(2026, 11, 23, tzinfo=UTC)


def test_it_goes_on_from_the_latest_time_that_was_shown():
    now = [100.0]
    time = KeptTime(lambda: now[0])
    assert time.utc().year == 1970
    time.witness(AT)
    now[0] += 60
    assert time.utc() == AT + timedelta(seconds=60)


def test_an_earlier_time_is_no_news():
    now = [0.0]
    time = KeptTime(lambda: now[0])
    time.witness(AT)
    now[0] += 60
    time.witness(AT + timedelta(seconds=30))
    assert time.utc() == AT + timedelta(seconds=60)


def test_what_passed_before_it_was_switched_on_does_not_count():
    now = [0.0]
    time = KeptTime(lambda: now[0])
    time.witness(AT)
    now[0] = 1e8
    time.begin()
    now[0] += 60
    assert time.utc() == AT + timedelta(seconds=60)


@pytest.mark.requirement("R-74")
def test_a_clock_that_lags_behind_what_was_shown_is_not_believed():
    time = KeptTime(lambda: 0.0, lambda: AT - timedelta(days=9000))
    assert time.utc() == AT - timedelta(days=9000)
    time.witness(AT)
    assert time.utc() == AT


def test_a_clock_that_is_later_than_what_was_shown_is_believed():
    time = KeptTime(lambda: 0.0, lambda: AT)
    time.witness(AT - timedelta(days=1))
    assert time.utc() == AT


@pytest.mark.requirement("R-74")
def test_a_clock_that_runs_ahead_of_the_domain_is_not_believed_until_it_agrees():
    clock = [AT + timedelta(days=3000)]
    time = KeptTime(lambda: 0.0, lambda: clock[0])
    time.witness(AT)
    assert time.utc() == clock[0]
    time.agree(AT)
    assert time.utc() == AT
    clock[0] = AT + timedelta(minutes=5)
    time.agree(AT)
    assert time.utc() == AT + timedelta(minutes=5)


def test_what_a_stranger_signed_earlier_moves_no_clock_back():
    time = KeptTime(lambda: 0.0, lambda: AT)
    time.witness(AT - timedelta(days=1))
    time.witness(AT - timedelta(days=2))
    assert time.utc() == AT
