from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from thingstead.analysis.calendar import NOTICE, Urgency, calendar
from thingstead.domain.plane import Expiry, PlaneName
from thingstead.identifier import ThingId

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ONE, TWO = ThingId("thing-aaaaaaaaaaaaaaaa"), ThingId("thing-bbbbbbbbbbbbbbbb")


def expiry(days, *things, what="token", plane=PlaneName.ACCESS, hours=0):
    return Expiry(what, AT + timedelta(days=days, hours=hours), things, plane)


def test_every_plane_has_a_notice():
    assert NOTICE.keys() == set(PlaneName)


@pytest.mark.requirement("R-74")
def test_whoever_acts_until_the_end_of_the_last_safe_day_has_the_whole_notice_left():
    (row,) = calendar([expiry(90, ONE)], at=AT)
    end = datetime.combine(row.last_safe_day + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
    assert row.at - end >= NOTICE[PlaneName.ACCESS]
    assert row.at - end < NOTICE[PlaneName.ACCESS] + timedelta(days=1)


@pytest.mark.requirement("R-74")
def test_a_credential_in_the_update_path_has_thirty_days():
    (row,) = calendar([expiry(60, plane=PlaneName.SOFTWARE)], at=AT)
    assert row.last_safe_day == date(2026, 12, 22)


@pytest.mark.parametrize(
    ("days", "urgency"),
    [(-1, Urgency.EXPIRED), (0, Urgency.EXPIRED), (14, Urgency.LATE), (15, Urgency.SOON), (23, Urgency.LATER)],
)
def test_a_date_is_told_by_what_it_means_today(days, urgency):
    (row,) = calendar([expiry(days, ONE)], at=AT)
    assert row.urgency is urgency


@pytest.mark.requirement("R-74")
@pytest.mark.parametrize(
    ("days", "hours", "urgency"),
    [
        (7, 0, Urgency.LATER),
        (1, 0, Urgency.LATER),
        (0, 21, Urgency.SOON),
        (0, 1, Urgency.LATE),
        (0, 0, Urgency.EXPIRED),
    ],
)
def test_nobody_has_to_act_on_what_a_thing_renews_before_it_let_the_time_for_it_pass(days, hours, urgency):
    token = expiry(days, ONE, hours=hours)
    (row,) = calendar([replace(token, renewal=token.at - timedelta(hours=21))], at=AT)
    assert row.urgency is urgency
    assert row.last_safe_day == (token.at - timedelta(days=1)).date()


def test_what_ends_on_one_day_for_many_things_is_one_row():
    rows = calendar([expiry(90, ONE, hours=1), expiry(90, TWO), expiry(91, ONE)], at=AT)
    assert [(row.strands, row.at) for row in rows] == [
        ((ONE, TWO), AT + timedelta(days=90)),
        ((ONE,), AT + timedelta(days=91)),
    ]


def test_the_soonest_to_act_on_comes_first_not_the_soonest_to_end():
    rows = calendar([expiry(40, what="token"), expiry(45, what="anchor", plane=PlaneName.SOFTWARE)], at=AT)
    assert [row.what for row in rows] == ["anchor", "token"]


def test_what_need_not_be_acted_on_within_the_horizon_is_left_out():
    rows = calendar([expiry(20, what="near"), expiry(400, what="far")], at=AT, horizon=timedelta(days=30))
    assert [row.what for row in rows] == ["near"]


@pytest.mark.requirement("R-77")
@pytest.mark.parametrize(
    ("days", "urgency"),
    [
        (181, Urgency.LATER),
        (180, Urgency.SOON),
        (31, Urgency.SOON),
        (30, Urgency.LATE),
        (1, Urgency.LATE),
        (0, Urgency.EXPIRED),
    ],
)
def test_the_end_of_support_is_told_half_a_year_and_thirty_days_before(days, urgency):
    support = replace(expiry(days, ONE, plane=PlaneName.SOFTWARE), warning=timedelta(days=180))
    (row,) = calendar([support], at=AT)
    assert row.urgency is urgency


@pytest.mark.requirement("R-74")
@pytest.mark.parametrize("plane", [PlaneName.IDENTITY, PlaneName.SOFTWARE])
def test_what_an_update_needs_is_late_thirty_days_before_its_end(plane):
    (in_time,) = calendar([expiry(31, ONE, plane=plane)], at=AT)
    (late,) = calendar([expiry(30, ONE, plane=plane)], at=AT)
    assert (in_time.urgency, late.urgency) == (Urgency.SOON, Urgency.LATE)


@pytest.mark.parametrize(
    ("days", "within", "fails"),
    [(40, 30, False), (30, 30, True), (29, 30, True), (10, 1, True), (-1, 0, True), (16, 1, False)],
)
def test_who_watches_is_told_of_what_ends_or_had_its_last_safe_day(days, within, fails):
    (row,) = calendar([expiry(days, ONE)], at=AT)
    assert row.fails(AT, timedelta(days=within)) is fails


def test_what_is_renewed_by_itself_fails_nobody_until_the_time_for_that_has_passed():
    token = replace(expiry(2, ONE), renewal=AT + timedelta(days=1))
    (row,) = calendar([token], at=AT)
    (neglected,) = calendar([token], at=AT + timedelta(days=1))
    assert not row.fails(AT, timedelta(days=30))
    assert neglected.fails(AT + timedelta(days=1), timedelta(days=30))
