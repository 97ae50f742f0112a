"""Who gets something now, and why somebody does not; no clock, no disk, no thing."""

from datetime import UTC, datetime, timedelta

import pytest

from thingstead.domain.campaign import Campaign, Header, Standing, Status, Verdict, Zones
from thingstead.domain.campaign_plan import Calendar, Dependency, Hours, Plan, Share, Stage
from thingstead.errors import StateError
from thingstead.identifier import ThingId

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WHOLE = Share(basis=10000)
CANARY_THEN_ALL = Plan((Stage(Share(1), HOUR), Stage(Share(basis=5000)), Stage(WHOLE)), abort=(Share(basis=2000),))


def name(number):
    return ThingId(f"thing-{number:04}")


def a_campaign(plan=CANARY_THEN_ALL, things=10, *, zone="hall", **given):
    campaign = Campaign(Header(plan, AT, since=AT), **given)
    for number in range(things):
        campaign.zones.things[zone] += 1
        campaign.place(name(number), zone=zone, serial=f"A{number:04}")
    return campaign


def asked(campaign, things, at=AT):
    return [campaign.ask(name(number), at) for number in things]


def offered(campaign, things, at=AT):
    return sum(verdict is Verdict.OFFER for verdict in asked(campaign, things, at))


def installs(campaign, *things, at=AT):
    for number in things:
        campaign.settle(name(number), Standing.INSTALLED, at)


def fails(campaign, *things, at=AT):
    for number in things:
        campaign.settle(name(number), Standing.FAILED, at)


def status(campaign):
    return str(campaign.header.status)


def test_without_a_plan_everybody_gets_it_at_once():
    campaign = a_campaign(Plan())
    assert offered(campaign, range(10)) == 10
    assert campaign.counts[Standing.OFFERED] == 10


@pytest.mark.requirement("R-72")
def test_a_stage_gives_no_more_places_than_it_has_to_whoever_asks_first():
    campaign = a_campaign()
    assert asked(campaign, [7, 3, 7]) == [Verdict.OFFER, Verdict.STAGE, Verdict.OFFER]


def test_the_next_stage_begins_when_all_of_one_run_it_and_it_has_soaked():
    campaign = a_campaign()
    asked(campaign, [0])
    installs(campaign, 0)
    campaign.tick(AT + HOUR - timedelta(seconds=1))
    assert campaign.header.stage == 0
    campaign.tick(AT + HOUR)
    assert (campaign.header.stage, campaign.places) == (1, 5)
    assert offered(campaign, range(10), AT + HOUR) == 5, "four more, and who runs it asks in vain for nothing"


def test_who_fails_while_it_soaks_holds_the_stage_up():
    campaign = a_campaign(Plan((Stage(Share(2), HOUR), Stage(WHOLE))))
    asked(campaign, [0, 1])
    installs(campaign, 0, 1)
    fails(campaign, 0, 1)
    campaign.tick(AT + 2 * HOUR)
    assert (campaign.header.stage, campaign.header.ripe_at) == (0, None)


@pytest.mark.requirement("R-72")
def test_a_canary_that_is_named_goes_first_and_nobody_else():
    plan = Plan((Stage(Share(2), only=frozenset({"A0004", name(5)})), Stage(WHOLE)))
    campaign = a_campaign(plan)
    assert asked(campaign, [0, 4, 5]) == [Verdict.CANARY, Verdict.OFFER, Verdict.OFFER]


def test_a_named_canary_that_sleeps_is_not_waited_for_longer_than_the_plan_says():
    plan = Plan((Stage(Share(2), only=frozenset({"A0004", "A0005"})), Stage(WHOLE)), patience=HOUR)
    campaign = a_campaign(plan)
    asked(campaign, [4])
    installs(campaign, 4)
    campaign.tick(AT + HOUR / 2)
    assert campaign.header.stage == 0
    campaign.tick(AT + HOUR)
    assert campaign.header.stage == 1


def test_canaries_that_all_sleep_let_nobody_past():
    campaign = a_campaign(Plan((Stage(Share(1), only=frozenset({"A0004"})), Stage(WHOLE)), patience=HOUR))
    campaign.tick(AT + 9 * HOUR)
    assert asked(campaign, [0], AT + 9 * HOUR) == [Verdict.CANARY]


def test_who_takes_it_and_falls_silent_is_no_failure_and_no_success():
    campaign = a_campaign(Plan((Stage(Share(2)), Stage(WHOLE)), patience=HOUR, abort=(Share(1),)))
    asked(campaign, [0, 1])
    campaign.tick(AT + HOUR)
    assert campaign.counts[Standing.SILENT] == 2
    assert (campaign.header.status, campaign.header.stage) == (Status.RUNNING, 0)
    installs(campaign, 1, at=AT + 2 * HOUR)
    assert campaign.header.stage == 1, "half of them is enough"


def test_a_sleeper_that_comes_back_goes_on_without_another_place():
    campaign = a_campaign(Plan((Stage(Share(1)), Stage(WHOLE)), patience=HOUR))
    asked(campaign, [0])
    campaign.tick(AT + HOUR)
    assert asked(campaign, [0, 1], AT + 2 * HOUR) == [Verdict.OFFER, Verdict.STAGE]
    assert campaign.standing(name(0)) is Standing.OFFERED


@pytest.mark.parametrize(("stage", "things", "n"), [(Share(1), 10, 1), (Share(basis=5000), 100, 10)])
def test_the_nth_failure_ends_it_for_everybody_at_once(stage, things, n):
    campaign = a_campaign(Plan((Stage(stage), Stage(WHOLE)), abort=(Share(basis=2000),)), things)
    asked(campaign, range(things))
    assert campaign.fatal == n
    fails(campaign, *range(n - 1))
    assert campaign.header.status is Status.RUNNING
    fails(campaign, n - 1)
    assert (campaign.header.status, campaign.header.cause) == (Status.ABORTED, "failures")
    assert offered(campaign, range(things)) == 0


def test_a_failure_after_all_was_done_still_ends_it():
    campaign = a_campaign(Plan(abort=(Share(2),)), 3)
    asked(campaign, range(3))
    installs(campaign, 0, 1, 2)
    assert status(campaign) == "finished"
    fails(campaign, 0, 1)
    assert status(campaign) == "aborted"
    campaign.place(name(9), zone="hall")
    assert asked(campaign, [9]) == [Verdict.ENDED]


def test_a_failure_told_twice_counts_once():
    campaign = a_campaign(Plan(abort=(Share(2),)))
    asked(campaign, range(3))
    fails(campaign, 0, 0, 0)
    assert campaign.header.status is Status.RUNNING


def test_a_person_may_go_on_over_failures_and_the_next_so_many_end_it_again():
    campaign = a_campaign(Plan(abort=(Share(2),)))
    asked(campaign, range(10))
    fails(campaign, 0, 1)
    campaign.change(Status.RUNNING, AT, cause="resumed")
    assert asked(campaign, [0, 2]) == [Verdict.FAILED, Verdict.OFFER]
    fails(campaign, 2)
    assert status(campaign) == "running"
    fails(campaign, 3)
    assert status(campaign) == "aborted"


def test_paused_is_for_those_who_have_not_begun():
    campaign = a_campaign(Plan())
    asked(campaign, [0])
    campaign.change(Status.PAUSED, AT, cause="paused")
    assert asked(campaign, [0, 1]) == [Verdict.OFFER, Verdict.PAUSED]
    campaign.change(Status.RUNNING, AT, cause="resumed")
    assert asked(campaign, [1]) == [Verdict.OFFER]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (Status.RUNNING, Status.RUNNING),
        (Status.PAUSED, Status.PAUSED),
        (Status.PAUSED, Status.FINISHED),
        (Status.ABORTED, Status.PAUSED),
        (Status.ABORTED, Status.ABORTED),
        (Status.SUPERSEDED, Status.RUNNING),
        (Status.SUPERSEDED, Status.ABORTED),
    ],
)
def test_what_is_not_reached_from_where_it_stands_is_refused(first, then):
    campaign = a_campaign()
    if first is not Status.RUNNING:
        campaign.change(first, AT, cause="a test")
    with pytest.raises(StateError) as refusal:
        campaign.change(then, AT, cause="a test")
    assert refusal.value.reason == "campaign"


def test_a_person_may_begin_the_next_stage_but_not_one_after_the_last():
    campaign = a_campaign(Plan((Stage(Share(1)), Stage(WHOLE))))
    campaign.advance(AT, cause="advanced")
    assert offered(campaign, range(10)) == 10
    with pytest.raises(StateError):
        campaign.advance(AT, cause="advanced")


@pytest.mark.requirement("R-72")
def test_no_more_of_a_zone_update_at_once_than_its_share_whatever_they_update_to():
    zones = Zones()
    plan = Plan(zone_share=Share(basis=2500))
    lamps = a_campaign(plan, 8, zones=zones)
    other = Campaign(Header(plan, AT, since=AT), zones)
    for number in range(100, 104):
        zones.things["hall"] += 1
        other.place(name(number), zone="hall")
    assert offered(lamps, range(2)) == 2
    assert asked(other, [100, 101]) == [Verdict.OFFER, Verdict.ZONE]
    assert asked(lamps, [2]) == [Verdict.ZONE]
    installs(lamps, 0)
    assert asked(other, [101]) == [Verdict.OFFER]
    assert zones.updating["hall"] == 3


@pytest.mark.requirement("R-72")
@pytest.mark.parametrize("how", ["silent", "failed", "dropped"])
def test_who_is_not_updating_any_more_leaves_its_zone_to_others(how):
    campaign = a_campaign(Plan(zone_share=Share(1), patience=HOUR), 2)
    assert asked(campaign, [0, 1]) == [Verdict.OFFER, Verdict.ZONE]
    if how == "silent":
        campaign.tick(AT + HOUR)
    elif how == "failed":
        fails(campaign, 0)
    else:
        campaign.drop(name(0))
    assert asked(campaign, [1], AT + HOUR) == [Verdict.OFFER]
    if how == "silent":
        assert asked(campaign, [0], AT + HOUR) == [Verdict.ZONE], "a sleeper waits like anybody"


@pytest.mark.requirement("R-72")
def test_a_sleeper_that_begins_again_keeps_its_zone_over_a_restart():
    """What is to be kept of it says when it began again: the next life counts its patience from there."""
    plan = Plan(zone_share=Share(1), patience=2 * HOUR)
    campaign = a_campaign(plan, 2)
    asked(campaign, [0])
    campaign.unkept.clear()
    campaign.tick(AT + 2 * HOUR)
    assert asked(campaign, [0], AT + 3 * HOUR) == [Verdict.OFFER]
    kept = campaign.unkept[name(0)]
    after = a_campaign(plan, 0)
    after.zones.things["hall"] = 2
    after.place(name(0), zone="hall", offered_at=kept)
    after.place(name(1), zone="hall")
    after.tick(AT + 4 * HOUR)
    assert asked(after, [1], AT + 4 * HOUR) == [Verdict.ZONE]


def test_a_thing_that_is_moved_takes_its_updating_along():
    campaign = a_campaign(Plan(zone_share=Share(1)), 2)
    asked(campaign, [0])
    campaign.zones.things["yard"] += 1
    campaign.place(name(0), zone="yard")
    assert (campaign.zones.updating["hall"], campaign.zones.updating["yard"]) == (0, 1)
    assert campaign.standing(name(0)) is Standing.OFFERED


@pytest.mark.requirement("R-72")
def test_nobody_begins_in_quiet_hours_and_who_has_begun_may_finish():
    quiet = Calendar(quiet=(Hours(frozenset(range(7)), 13 * 60, 14 * 60),))
    campaign = a_campaign(Plan(calendar=quiet))
    asked(campaign, [0, 1])
    installs(campaign, 1)
    assert asked(campaign, [0, 1, 2], AT + HOUR) == [Verdict.OFFER, Verdict.HOURS, Verdict.HOURS]
    assert asked(campaign, [2], AT + 2 * HOUR) == [Verdict.OFFER]


@pytest.mark.requirement("R-72")
def test_leaves_wait_for_the_gateway_of_their_zone():
    gateway = Dependency("GW-1", 7)
    behind = {"hall"}
    campaign = a_campaign(Plan(after=(gateway,)), 1, is_behind=lambda dependency, zone: zone in behind)
    campaign.place(name(1), zone="yard")
    assert asked(campaign, [0, 1]) == [Verdict.DEPENDENCY, Verdict.OFFER]
    behind.clear()
    assert asked(campaign, [0]) == [Verdict.OFFER]


def test_who_runs_it_already_needs_no_place_and_is_not_counted_for_the_stages():
    campaign = a_campaign(Plan((Stage(Share(basis=5000)), Stage(WHOLE))), 4)
    for number in range(4, 10):
        campaign.place(name(number), zone="hall", standing=Standing.INSTALLED)
    assert campaign.places == 2
    assert offered(campaign, range(4)) == 2


def test_who_joins_later_is_offered_by_where_the_campaign_stands():
    campaign = a_campaign(Plan((Stage(Share(1)), Stage(WHOLE))), 1)
    asked(campaign, [0])
    campaign.place(name(5), zone="hall")
    assert asked(campaign, [5]) == [Verdict.STAGE]
    installs(campaign, 0)
    campaign.tick(AT)
    assert asked(campaign, [5]) == [Verdict.OFFER]
    installs(campaign, 5)
    assert campaign.header.status is Status.FINISHED
    campaign.place(name(6), zone="hall")
    assert asked(campaign, [6]) == [Verdict.OFFER], "all is done, and whoever comes later still gets it"


def test_at_the_deadline_the_sleepers_are_told_and_still_catch_up():
    campaign = a_campaign(Plan(deadline=24 * HOUR), 3)
    asked(campaign, [0, 1])
    installs(campaign, 0, 1)
    campaign.tick(AT + 24 * HOUR)
    assert (campaign.header.status, campaign.header.cause) == (Status.FINISHED, "deadline")
    assert [thing for thing, _ in campaign.things(Standing.WAITING)] == [name(2)]
    assert asked(campaign, [2], AT + 99 * HOUR) == [Verdict.OFFER]


def test_a_deadline_in_an_early_stage_lets_nobody_past_it():
    campaign = a_campaign(Plan((Stage(Share(1)), Stage(WHOLE)), deadline=HOUR))
    campaign.tick(AT + HOUR)
    assert (campaign.header.status, campaign.header.cause) == (Status.PAUSED, "deadline")


def test_with_nobody_there_no_stage_is_through():
    campaign = a_campaign(things=0)
    campaign.tick(AT + 99 * HOUR)
    assert (campaign.header.status, campaign.header.stage) == (Status.RUNNING, 0)
    assert asked(campaign, [0]) == [Verdict.ENDED]


def test_a_place_that_was_kept_is_its_things_own_and_no_other_gets_it():
    campaign = a_campaign(Plan((Stage(Share(1)), Stage(WHOLE))), 0)
    campaign.place(name(0), zone="hall", offered_at=AT)
    campaign.place(name(1), zone="hall")
    assert asked(campaign, [1, 0]) == [Verdict.STAGE, Verdict.OFFER]
    assert campaign.unkept == {}


def test_each_place_is_to_be_kept_once_and_each_change_of_the_campaign_too():
    campaign = a_campaign()
    asked(campaign, [0, 0, 1])
    assert campaign.unkept == {name(0): AT}
    campaign.change(Status.PAUSED, AT, cause="paused")
    assert [header.status for header in campaign.changes] == [Status.PAUSED]


def test_what_would_be_answered_can_be_asked_without_taking_a_place():
    campaign = a_campaign()
    assert campaign.judge(name(0), AT) is Verdict.OFFER
    assert campaign.standing(name(0)) is Standing.WAITING
    assert campaign.judge(ThingId("thing-unknown"), AT) is Verdict.ENDED


def test_another_plan_is_gone_by_from_its_first_stage_with_the_places_that_were_given():
    campaign = a_campaign()
    asked(campaign, [0])
    campaign.replan(Plan((Stage(Share(3)), Stage(WHOLE))), AT)
    assert offered(campaign, range(10)) == 3
    campaign.replan(Plan(), AT)
    assert offered(campaign, range(10)) == 10


def test_hours_that_a_new_plan_has_not_got_hold_nobody_up_any_more():
    campaign = a_campaign(Plan(calendar=Calendar(quiet=(Hours(frozenset(range(7)), 0, 23 * 60),))))
    assert asked(campaign, [0]) == [Verdict.HOURS]
    campaign.replan(Plan(), AT)
    assert asked(campaign, [0]) == [Verdict.OFFER]


@pytest.mark.parametrize("end", [Status.ABORTED, Status.SUPERSEDED, Status.FINISHED])
def test_what_is_over_takes_no_other_plan(end):
    campaign = a_campaign()
    campaign.change(end, AT, cause="a test")
    with pytest.raises(StateError, match="no plan changes that"):
        campaign.replan(Plan(), AT)
