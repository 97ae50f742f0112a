from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from thingstead.domain.campaign_plan import Calendar, Hours, Plan, Share, Stage

EVERY_DAY = frozenset(range(7))
NIGHT = Hours(EVERY_DAY, 22 * 60, 6 * 60)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("share", "total", "of", "at_most"),
    [
        (Share(count=3), 100, 3, 3),
        (Share(basis=1000), 100, 10, 10),
        (Share(basis=1000), 101, 11, 10),
        (Share(basis=1), 10, 1, 1),
        (Share(basis=2500), 3, 1, 1),
        (Share(basis=10000), 7, 7, 7),
        (Share(basis=10000), 0, 1, 1),
    ],
)
def test_a_share_is_never_nothing_and_a_bound_never_more_than_it_says(share, total, of, at_most):
    assert (share.of(total), share.at_most(total)) == (of, at_most)


@pytest.mark.requirement("R-72")
@pytest.mark.parametrize(
    ("hour", "is_open"), [(21, True), (22, False), (23, False), (0, False), (5, False), (6, True), (12, True)]
)
def test_quiet_hours_go_over_midnight(hour, is_open):
    assert Calendar(quiet=(NIGHT,)).is_open(datetime(2026, 11, 23, hour, tzinfo=UTC)) is is_open


@pytest.mark.requirement("R-72")
@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (datetime(2026, 11, 27, 23, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 28, 4, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 28, 5, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 28, 23, 0, tzinfo=UTC), False),
    ],
    ids=["friday night", "saturday morning", "its end", "saturday night"],
)
def test_a_window_belongs_to_the_day_on_which_it_begins(at, is_open):
    friday = Hours(frozenset({4}), 22 * 60, 5 * 60)
    assert Calendar(windows=(friday,)).is_open(at) is is_open


@pytest.mark.requirement("R-72")
def test_hours_are_those_of_the_clock_on_the_wall_in_summer_and_in_winter():
    calendar = Calendar(windows=(Hours(EVERY_DAY, 60, 120),), zone=BERLIN)
    assert calendar.is_open(datetime(2026, 1, 10, 0, 30, tzinfo=UTC))
    assert not calendar.is_open(datetime(2026, 7, 10, 0, 30, tzinfo=UTC))
    assert calendar.is_open(datetime(2026, 7, 9, 23, 30, tzinfo=UTC))


def test_an_hour_that_comes_twice_is_open_twice_and_one_that_is_left_out_never():
    calendar = Calendar(windows=(Hours(EVERY_DAY, 120, 180),), zone=BERLIN)
    autumn = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    assert [calendar.is_open(autumn + timedelta(hours=number)) for number in range(4)] == [False, True, True, False]
    spring = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    assert not any(calendar.is_open(spring + timedelta(minutes=number)) for number in range(240))


@pytest.mark.requirement("R-72")
def test_no_window_is_open_in_quiet_hours():
    calendar = Calendar(windows=(Hours(EVERY_DAY, 23 * 60, 24 * 60 - 1),), quiet=(NIGHT,))
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert calendar.opens(at) is None
    assert calendar.closes(at) == at


def test_the_next_opening_and_closing_are_told_to_the_minute():
    calendar = Calendar(quiet=(NIGHT,))
    at = datetime(2026, 11, 23, 23, 10, 30, tzinfo=UTC)
    assert calendar.opens(at) == datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    assert calendar.closes(datetime(2026, 11, 24, 7, tzinfo=UTC)) == datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
    assert Calendar().closes(at) is None


@pytest.mark.parametrize(
    "stages",
    [(), (Stage(Share(basis=5000)),), (Stage(Share(count=3)),), (Stage(Share(basis=10000), only=frozenset({"A"})),)],
    ids=["none", "half", "three", "only some"],
)
def test_a_plan_that_never_reaches_everybody_is_none(stages):
    with pytest.raises(ValueError, match="everybody"):
        Plan(stages)


@pytest.mark.parametrize(
    ("abort", "places", "fatal"),
    [
        ((), 100, None),
        ((Share(count=3),), 100, 3),
        ((Share(basis=500),), 100, 5),
        ((Share(basis=500),), 1, 1),
        ((Share(count=3), Share(basis=500)), 100, 3),
        ((Share(count=30), Share(basis=500)), 100, 5),
    ],
)
def test_whichever_threshold_comes_first_is_fatal(abort, places, fatal):
    assert Plan(abort=abort).fatal(places) == fatal
