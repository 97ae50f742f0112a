"""Plain words; the operations' tests show the rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from thingstead.domain.campaign import Campaign, Header, Standing, Status
from thingstead.domain.campaign_plan import EVERYONE, STAGED, Calendar, Dependency, Hours, Plan, Share, Stage
from thingstead.identifier import ThingId
from thingstead.planes.software.campaign_record import Subject
from thingstead.planes.software.campaign_view import describe, median_seconds, row_of, story, when_done
from thingstead.planes.software.release import ClassKey, Line

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SUBJECT = Subject(Line(ClassKey(b"v" * 16, b"c" * 16), "acme"), "LX-1", "", 7, b"\1" * 32)
NIGHT = Hours(frozenset(range(7)), 22 * 60, 6 * 60)
WHOLE = Stage(Share(basis=10000))
FIRST, SECOND, THIRD = ThingId("thing-1"), ThingId("thing-2"), ThingId("thing-3")


def a_campaign(plan=EVERYONE):
    campaign = Campaign(Header(plan, AT, since=AT))
    for thing in (FIRST, SECOND, THIRD):
        campaign.place(thing, zone="hall")
    return campaign


def told(campaign, *, at=AT, behind=()):
    return " ".join(story(SUBJECT, campaign, at=at, behind=lambda *_: behind))


def test_a_plan_is_said_in_sentences():
    plan = Plan(
        (Stage(Share(1), timedelta(hours=72), frozenset({"A1"})), Stage(Share(5)), Stage(Share(basis=1250)), WHOLE),
        Share(basis=2500),
        Calendar((Hours(frozenset({0, 4}), 60, 300),), (NIGHT,)),
        (Dependency("GW-1", 7, "2.0.0"), Dependency("GW-2", 8, "", same_zone=False)),
        (Share(basis=500), Share(3)),
        deadline=timedelta(days=30),
    )
    said = " ".join(describe(plan))
    for words in (
        "First A1, then 3 days of watching; then 5 of them in all; then 12.5% of them; then everybody.",
        "At most 25% of a zone's things",
        "outside Mon/Fri 01:00-05:00 (UTC time)",
        "during daily 22:00-06:00",
        "every GW-1 in the same zone has to run 2.0.0",
        "every GW-2 everywhere has to run release 8",
        "ends by itself at 5% failing in a stage or 3 failures",
        "after 30 days is listed by name",
    ):
        assert words in said
    assert describe(EVERYONE) == ["Everybody at once."]


def test_what_comes_next_is_said_with_its_time():
    plan = Plan((Stage(Share(1), timedelta(hours=2)), WHOLE), calendar=Calendar(quiet=(NIGHT,)), abort=(Share(1),))
    campaign = a_campaign(plan)
    assert "failure number 1; there were 0" in told(campaign)
    assert "The next may begin at 2026-11-24 06:00 UTC." in told(campaign, at=AT + timedelta(hours=11))
    campaign.ask(FIRST, AT)
    campaign.settle(FIRST, Standing.INSTALLED, AT)
    assert "The next stage begins at 2026-11-23 14:00 UTC" in told(campaign)


def test_who_keeps_others_waiting_is_said_by_name():
    campaign = a_campaign(Plan(after=(Dependency("GW-1", 7, "2.0.0"),)))
    assert "wait for GW-1 2.0.0: gw-1." in told(campaign, behind=("gw-1",))
    many = tuple(f"gw-{number}" for number in range(7))
    assert "gw-4 and 2 more." in told(campaign, behind=many)


@pytest.mark.parametrize(
    ("status", "cause", "words"),
    [
        (Status.PAUSED, "restored", "paused since 2026-11-23 12:00 UTC: the domain was restored from a backup"),
        (Status.ABORTED, "failures", "too many things failed"),
        (Status.SUPERSEDED, "superseded", "a newer release was published"),
        (Status.FINISHED, "deadline", "whoever was asleep catches up"),
    ],
)
def test_why_it_stands_is_said(status, cause, words):
    campaign = a_campaign()
    campaign.change(status, AT, cause=cause)
    assert words in told(campaign)
    assert row_of(SUBJECT, campaign.header, campaign.counts).status == status.value


def test_what_nobody_runs_is_not_called_done_everywhere():
    campaign = a_campaign()
    for thing in (FIRST, SECOND, THIRD):
        campaign.ask(thing, AT)
        campaign.settle(thing, Standing.FAILED, AT)
    campaign.header = replace(campaign.header, status=Status.FINISHED, cause="done")
    assert "3 refused it or went back." in told(campaign)
    assert "or has said no" in row_of(SUBJECT, campaign.header, campaign.counts).because


def test_who_runs_what_was_aborted_is_said_with_the_way_back():
    campaign = a_campaign(Plan(abort=(Share(1),)))
    for thing in (FIRST, SECOND):
        campaign.ask(thing, AT)
    campaign.settle(FIRST, Standing.INSTALLED, AT)
    assert "rollback" not in told(campaign)
    campaign.settle(SECOND, Standing.FAILED, AT)
    assert "1 run it still" in told(campaign)
    assert "thingstead campaign rollback LX-1/7" in told(campaign)


def test_who_fell_silent_is_told():
    campaign = a_campaign(Plan(patience=timedelta(hours=1)))
    campaign.ask(FIRST, AT)
    campaign.tick(AT + timedelta(hours=1))
    assert "1 took it and were not heard to have ended" in told(campaign)


def test_how_long_one_takes_is_that_of_the_one_in_the_middle():
    campaign = a_campaign()
    ends = {FIRST: AT + timedelta(seconds=10), SECOND: AT + timedelta(seconds=30), THIRD: None}
    assert median_seconds(campaign, ends.get) is None
    for thing in ends:
        campaign.ask(thing, AT)
        campaign.settle(thing, Standing.INSTALLED, AT)
    assert median_seconds(campaign, ends.get) == 30


@pytest.mark.parametrize(
    ("plan", "hours"),
    [
        (EVERYONE, 1),
        (Plan(zone_share=Share(basis=2500)), 4),
        (Plan((Stage(Share(2), timedelta(hours=5)), WHOLE)), 7),
        (
            Plan(
                zone_share=Share(basis=2500), calendar=Calendar(quiet=(Hours(frozenset(range(7)), 13 * 60, 14 * 60),))
            ),
            5,
        ),
    ],
)
def test_when_it_would_be_through_counts_rounds_watching_and_hours(plan, hours):
    done = when_done(plan, {"hall": 8, "yard": 8}, each=timedelta(hours=1), at=AT)
    assert done == AT + timedelta(hours=hours)


def test_what_takes_longer_than_anybody_plans_is_not_said():
    assert when_done(STAGED, {"hall": 9000}, each=timedelta(days=40), at=AT) is not None
    once_a_week = Plan(calendar=Calendar(windows=(Hours(frozenset({0}), 60, 120),)))
    assert when_done(once_a_week, {"hall": 9000}, each=timedelta(days=40), at=AT) is None
