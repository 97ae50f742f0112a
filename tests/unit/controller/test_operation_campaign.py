"""What a person asks of campaigns, and what each answer changes."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.software.desk import LAMP, OTHER_LAMP, Desk, made, told
from thingstead.controller import operation_campaign
from thingstead.controller.operation import Operations
from thingstead.domain.campaign_plan import EVERYONE, Plan, Share, Stage
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.role import Operator, Role
from thingstead.planes.software.carried import Carried
from thingstead.protocols.suit.registry import Reason

NEWER = b"image 1.2.0 " * 90
ONE_THEN_ALL = Plan((Stage(Share(1), timedelta(hours=1)), Stage(Share(basis=10000))), abort=(Share(1),))
OWNER, MAINTAINER, USER = (Operator(role, "ben") for role in (Role.OWNER, Role.MAINTAINER, Role.USER))


class Person:
    """Somebody at the control socket."""

    def __init__(self, plan=ONE_THEN_ALL, *, things=None):
        self.desk = Desk(**({} if things is None else {"things": things})).admit()
        self.heard, self.carried = {}, {}
        if plan is not None:
            self.desk.plan(plan)
            self.desk.publish()

    def answer(self, operation, *, operator=OWNER, **arguments):
        rows = operation_campaign.rows(
            self.desk.campaigns,
            self.desk.tracker,
            runs=self.desk.tracker.runs,
            heard=self.heard.get,
            carried=self.carried.get,
            clock=self.desk.clock,
        )
        return asyncio.run(
            Operations(*rows).answer({"operation": operation, "arguments": arguments}, operator=operator)
        )

    def ask(self, operation, **arguments):
        answer = self.answer(operation, **arguments)
        assert "result" in answer, answer
        return answer["result"]


def test_a_list_has_what_goes_round_and_what_did():
    person = Person(EVERYONE)
    person.desk.tracker.poll(LAMP.id)
    newer = made("1.2.0", 3, image=NEWER)
    person.desk.plan(ONE_THEN_ALL, newer)
    person.desk.clock.seconds += 60
    person.desk.publish(newer, NEWER)
    listed = person.ask("campaign.list")
    assert [(one["campaign"], one["status"], one["offered"]) for one in listed] == [
        ("LX-1/3", "running", 0),
        ("LX-1/2", "superseded", 1),
    ]
    assert listed[0]["stage"] == "1 of 2"


@pytest.mark.requirement("R-69")
def test_what_is_shown_is_said_before_and_after_in_plain_words():
    person = Person()
    before = " ".join(person.ask("campaign.show", campaign="LX-1")["story"])
    assert "Version 1.1.0 for LX-1 things of acme. 0 of 2 run it." in before
    assert "at most 1 thing;" in before
    for lamp in (LAMP, OTHER_LAMP):
        person.desk.tracker.poll(lamp.id)
        person.desk.report(lamp, told(made()))
        person.desk.clock.seconds += 3700
        person.desk.look()
    after = " ".join(person.ask("campaign.show", campaign="LX-1")["story"])
    assert "2 of 2 run it" in after
    assert "nobody had to do anything" in after


@pytest.mark.requirement("R-69")
@pytest.mark.parametrize(
    ("language", "words"), [("de-CH", "Dimmt sanfter."), ("fr", "Dims more gently."), ("en", "Dims more gently.")]
)
def test_what_is_new_is_said_in_the_makers_words(language, words):
    person = Person()
    manifest = person.desk.campaigns.find("LX-1").subject.manifest_digest.hex()
    files = {"words.json": b'{"en": "Dims more gently.", "de": "Dimmt sanfter."}'}
    person.carried[manifest] = Carried(1, 1, (), "1.1.0", 2, files)
    story = person.ask("campaign.show", campaign="LX-1", language=language)["story"]
    assert story[1] == f"What is new, by its maker: {words}"


def test_who_has_not_got_it_is_shown_with_the_reason():
    person = Person()
    person.desk.tracker.poll(LAMP.id)
    person.desk.tracker.gates.append(lambda thing: "its measurement is old" if thing == OTHER_LAMP.id else "")
    rows = {row["thing"]: row for row in person.ask("campaign.show", campaign="LX-1/2")["places"]}
    assert (rows[LAMP.id]["standing"], rows[LAMP.id]["why"]) == ("offered", "")
    assert rows[OTHER_LAMP.id]["why"] == "its measurement is old"
    person.desk.tracker.gates.clear()
    rows = {row["thing"]: row for row in person.ask("campaign.show", campaign="LX-1/2")["places"]}
    assert rows[OTHER_LAMP.id]["why"] == "the stage has no place left"


def test_sleepers_are_told_by_name():
    person = Person()
    person.heard[LAMP.id] = person.desk.clock.utc()
    assert person.ask("campaign.show", campaign="LX-1")["asleep"] == [OTHER_LAMP.id]
    person.desk.clock.seconds += 86400
    assert set(person.ask("campaign.show", campaign="LX-1")["asleep"]) == {LAMP.id, OTHER_LAMP.id}


@pytest.mark.parametrize(
    ("operation", "status", "gets"),
    [("campaign.pause", "paused", None), ("campaign.abort", "aborted", None), ("campaign.advance", "running", "1.1.0")],
)
def test_what_a_person_does_holds_at_once_and_is_on_the_ledger_with_who_did_it(operation, status, gets):
    person = Person()
    person.desk.tracker.poll(LAMP.id)
    assert person.ask(operation, campaign="LX-1", operator=MAINTAINER)["status"] == status
    offer = person.desk.tracker.poll(OTHER_LAMP.id)
    assert (offer and offer.version) == gets
    assert [entry.actor for entry in person.desk.entries(Kind.CAMPAIGN)][-1] == MAINTAINER.actor
    person.desk.restart()
    person.desk.admit()
    assert person.desk.campaigns.find("LX-1").campaign.header.status == status


def test_what_was_ended_by_failures_goes_on_when_a_person_says_so():
    person = Person()
    person.desk.tracker.poll(LAMP.id)
    person.desk.report(LAMP, told(made(), Reason.CONDITION_FAILED))
    shown = person.ask("campaign.show", campaign="LX-1")
    assert (shown["status"], shown["because"]) == ("aborted", "too many things failed")
    assert "Nothing was offered after that; the last offer was 0 s before." in shown["story"]
    assert person.ask("campaign.resume", campaign="LX-1")["status"] == "running"


@pytest.mark.parametrize(
    ("operation", "campaign"),
    [
        ("campaign.resume", "LX-1"),
        ("campaign.show", "LX-9"),
        ("campaign.pause", "LX-1/1"),
        ("campaign.basis", ""),
        ("campaign.abort", "TH-2"),
    ],
)
def test_what_cannot_be_done_is_refused(operation, campaign):
    assert "error" in Person().answer(operation, campaign=campaign)


def test_a_fix_that_cannot_wait_goes_on_by_another_plan():
    person = Person()
    person.desk.tracker.poll(LAMP.id)
    assert person.desk.tracker.poll(OTHER_LAMP.id) is None
    changed = person.ask("campaign.replan", campaign="LX-1", plan='stages = ["100%"]', operator=MAINTAINER)
    assert (changed["because"], changed["stage"]) == ("a person gave it another plan", "1 of 1")
    assert person.desk.tracker.poll(OTHER_LAMP.id) is not None
    person.desk.restart()
    assert len(person.desk.campaigns.find("LX-1").campaign.header.plan.stages) == 1


@pytest.mark.parametrize("plan", ["stages = [", 'stages = ["half"]', '[[after]]\nmodel = "GW-1"\nversion = "9"'])
def test_by_what_is_no_plan_nothing_goes_on(plan):
    person = Person()
    before = person.desk.campaigns.find("LX-1").campaign.header
    answer = person.answer("campaign.replan", campaign="LX-1", plan=plan)
    assert "error" in answer
    assert person.desk.campaigns.find("LX-1").campaign.header == before


@pytest.mark.parametrize("operation", ["pause", "resume", "advance", "abort", "replan"])
def test_who_may_only_look_stops_nothing(operation):
    person = Person()
    given = {"plan": ""} if operation == "replan" else {}
    assert (
        person.answer(f"campaign.{operation}", operator=USER, campaign="LX-1", **given)["error"]["kind"] == "RoleError"
    )
    assert person.ask("campaign.list", operator=USER)[0]["status"] == "running"


def test_what_it_takes_to_take_a_release_back_is_said():
    person = Person(EVERYONE)
    newer = made("1.2.0", 3, image=NEWER)
    person.desk.plan(EVERYONE, newer)
    person.desk.publish(newer, NEWER)
    basis = person.ask("campaign.basis", campaign="LX-1")
    assert (basis["campaign"], basis["next"], basis["maker"]) == ("LX-1/3", 4, "acme")
    assert [one["version"] for one in basis["before"]] == ["1.1.0"]


def test_an_older_image_under_a_higher_number_is_for_everybody_so_that_nobody_takes_the_other_any_more():
    person = Person(EVERYONE)
    desk = person.desk
    for lamp in (LAMP, OTHER_LAMP):
        desk.tracker.poll(lamp.id)
        desk.report(lamp, told(made()))
    newer = made("1.2.0", 3, image=NEWER)
    desk.plan(EVERYONE, newer)
    desk.publish(newer, NEWER)
    desk.tracker.poll(LAMP.id)
    desk.report(LAMP, told(newer, image=NEWER))
    person.ask("campaign.abort", campaign="LX-1")
    back = made("1.1.0", 4)
    desk.plan(EVERYONE, back)
    desk.publish(back)
    assert [desk.tracker.poll(lamp.id).sequence_number for lamp in (LAMP, OTHER_LAMP)] == [4, 4]


# --- beforehand


@pytest.mark.requirement("R-72")
def test_a_preview_says_who_when_how_long_and_who_sleeps():
    things = [a_thing(number, zone="hall" if number < 8 else "yard") for number in range(10)]
    person = Person(None, things=things)
    person.heard = {thing.id: person.desk.clock.utc() for thing in things[1:]}
    plan = 'stages = [1, "100%"]\nsoak_hours = 1\nzone_share = "25%"\nquiet = ["10:00-14:00"]\nabort = ["20%"]'
    shown = person.ask("campaign.preview", model="LX-1", plan=plan)
    assert (shown["things"], shown["asleep"]) == (10, [things[0].id])
    assert [(one["things"], one["fails_at"]) for one in shown["stages"]] == [(1, 1), (10, 2)]
    assert {(one["zone"], one["at_once"]) for one in shown["zones"]} == {("hall", 2), ("yard", 1)}
    assert shown["begins"] == "2026-11-23T14:00:00Z"
    assert shown["done_about"] == "2026-11-23T15:50:00Z"
    assert shown["one_update_is"].startswith("assumed")
    assert not person.desk.kept.load(), "nothing changes"


def test_a_preview_knows_how_long_one_takes_once_one_was_measured():
    person = Person(EVERYONE)
    person.desk.tracker.poll(LAMP.id)
    person.desk.clock.seconds += 90
    person.desk.report(LAMP, told(made()))
    shown = person.ask("campaign.preview", model="LX-1")
    assert (shown["one_update_seconds"], shown["one_update_is"]) == (90, "measured")


@pytest.mark.parametrize("plan", ["stages = [", 'stages = ["half"]', '[[after]]\nmodel = "GW-1"\nversion = "9"'])
def test_a_preview_of_what_is_no_plan_is_refused(plan):
    assert "error" in Person().answer("campaign.preview", model="LX-1", plan=plan)


def test_a_preview_of_a_model_that_is_not_here_has_nobody_in_it():
    shown = Person().ask("campaign.preview", model="LX-9")
    assert (shown["things"], shown["zones"]) == (0, [])
