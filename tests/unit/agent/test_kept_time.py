"""The time of a thing without a clock never runs back, and never ahead of what it was shown."""

from datetime import UTC, datetime, timedelta

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
