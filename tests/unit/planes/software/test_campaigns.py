"""Campaigns over what is kept of them: the next life goes on where this one was killed."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.software.desk import BROOK, IMAGE, LAMP, OTHER_LAMP, SENSOR, Desk, made, told
from thingstead.domain.campaign import Standing, Status
from thingstead.domain.campaign_plan import EVERYONE, STAGED, Dependency, Plan, Share, Stage
from thingstead.domain.ledger.entry import Kind
from thingstead.errors import ConfigError, DecodeError, PolicyError, StorageError
from thingstead.planes.software.campaigns import DOCUMENTS
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit.registry import Reason
from thingstead.storage.records import HERE

WHOLE = Share(basis=10000)
ONE_THEN_ALL = Plan((Stage(Share(1)), Stage(WHOLE)), abort=(Share(1),), patience=timedelta(hours=1))
NEWER = b"image 1.2.0 " * 90
LAMPS = tuple(a_thing(number) for number in range(6))


def begun(plan=ONE_THEN_ALL, *, things=(LAMP, OTHER_LAMP, SENSOR)):
    desk = Desk(things=things).admit()
    desk.plan(plan)
    desk.publish()
    return desk


def gets_it(desk, thing):
    offer = desk.tracker.poll(thing.id)
    asyncio.run(desk.tracker.keep(thing.id))
    return offer is not None


def header(desk, model="LX-1"):
    return desk.campaigns.find(model).campaign.header


def causes(desk):
    return [(one.cause, one.details["status"]) for one in desk.entries(Kind.CAMPAIGN)]


def test_documents_of_campaigns_stay_with_the_controller():
    assert DOCUMENTS.startswith(HERE)


def test_a_release_goes_by_its_plan_and_then_to_everybody():
    desk = begun()
    assert [gets_it(desk, LAMP), gets_it(desk, OTHER_LAMP), gets_it(desk, LAMP)] == [True, False, True]
    desk.report(LAMP, told(made()))
    assert gets_it(desk, OTHER_LAMP)


@pytest.mark.parametrize("is_bounded", [True, False])
def test_a_place_is_on_disk_before_the_answer_leaves_where_the_plan_bounds_them(is_bounded):
    desk = begun(ONE_THEN_ALL if is_bounded else EVERYONE)
    writes = desk.kept.writes
    assert desk.tracker.poll(LAMP.id) is not None
    assert desk.tracker.is_kept(LAMP.id) is not is_bounded
    asyncio.run(desk.tracker.keep(LAMP.id))
    assert desk.kept.writes - writes == is_bounded
    for _ in range(50):
        desk.tracker.poll(LAMP.id)
        desk.tracker.image(LAMP.id)
    assert desk.kept.writes - writes == is_bounded, "a poll touches no disk"


def test_all_who_ask_while_one_is_written_are_written_together():
    desk = begun(Plan((Stage(Share(5)), Stage(WHOLE))), things=LAMPS)
    writes = desk.kept.writes

    async def all_ask():
        for lamp in LAMPS[:5]:
            desk.tracker.poll(lamp.id)
        await asyncio.gather(*[desk.tracker.keep(lamp.id) for lamp in LAMPS[:5]])

    asyncio.run(all_ask())
    assert desk.kept.writes - writes == 1


@pytest.mark.requirement("R-72")
@pytest.mark.parametrize("lives", [1, 3])
def test_a_domain_that_is_killed_gives_no_place_twice(lives):
    desk = begun()
    assert gets_it(desk, LAMP)
    for _ in range(lives):
        desk.restart()
        desk.admit()
        assert not gets_it(desk, OTHER_LAMP)
        assert gets_it(desk, LAMP)


def test_a_place_that_was_not_kept_was_not_heard_of_and_is_anybodys():
    desk = begun()
    desk.tracker.poll(LAMP.id)
    desk.restart()
    desk.admit()
    assert gets_it(desk, OTHER_LAMP)


def test_what_cannot_be_kept_is_told_to_nobody_and_kept_later():
    desk = begun()
    desk.kept.error = StorageError("the disk is full")
    with pytest.raises(StorageError):
        gets_it(desk, LAMP)
    assert not desk.tracker.is_kept(LAMP.id)
    desk.kept.error = None
    assert gets_it(desk, LAMP)
    assert not gets_it(desk, OTHER_LAMP)


def test_a_plan_is_not_forgotten_by_a_crash_between_publication_and_campaign():
    desk = begun()
    written = {key: one for key, one in desk.kept.load().items() if "/" not in key}
    assert not written, "nothing of the campaign is on disk yet"
    desk.restart()
    desk.admit()
    assert [gets_it(desk, LAMP), gets_it(desk, OTHER_LAMP)] == [True, False]


def test_a_release_from_before_there_were_campaigns_goes_on_reaching_everybody():
    desk = Desk().admit()
    desk.publish()
    assert [gets_it(desk, LAMP), gets_it(desk, OTHER_LAMP)] == [True, True]
    assert causes(desk) == []


def test_the_plan_of_a_release_that_is_refused_is_forgotten():
    desk = Desk().admit()
    desk.plan(ONE_THEN_ALL, b"no envelope")
    assert len(desk.kept.load()) == 1
    asyncio.run(desk.campaigns.give_up(b"no envelope"))
    assert desk.kept.load() == {}


def test_where_nobody_says_how_a_few_get_it_at_once_and_many_by_stages():
    campaigns = Desk().campaigns
    assert campaigns.usual(50) is EVERYONE
    assert campaigns.usual(51) is STAGED
    campaigns.default = ONE_THEN_ALL
    assert campaigns.usual(51) is ONE_THEN_ALL


@pytest.mark.parametrize(("things", "gets"), [(50, 50), (51, 5)])
def test_how_many_is_counted_of_the_class_and_not_of_the_domain(things, gets):
    lamps = [a_thing(number, zone=f"room-{number}") for number in range(things)]
    others = [a_thing(1000 + number, maker="brook", model="TH-2") for number in range(60)]
    desk = Desk(things=(*lamps, *others)).admit()
    desk.plan(None)
    desk.publish()
    assert sum(desk.tracker.poll(lamp.id) is not None for lamp in lamps) == gets


def test_what_the_policy_says_is_what_a_release_without_a_plan_goes_by():
    desk = Desk().admit()
    desk.campaigns.default = ONE_THEN_ALL
    desk.plan(None)
    desk.publish()
    assert [gets_it(desk, LAMP), gets_it(desk, OTHER_LAMP)] == [True, False]


def test_the_failure_that_is_one_too_many_takes_the_image_from_who_has_the_envelope():
    desk = begun(Plan(abort=(Share(1),)))
    assert gets_it(desk, LAMP)
    assert gets_it(desk, OTHER_LAMP)
    desk.report(LAMP, told(made(), Reason.CONDITION_FAILED))
    assert header(desk).status is Status.ABORTED
    assert desk.tracker.image(OTHER_LAMP.id) is None
    assert desk.tracker.cancelled(OTHER_LAMP.id).version == "1.1.0"
    assert not gets_it(desk, OTHER_LAMP)


def test_the_release_that_follows_an_aborted_one_gives_nobody_the_aborted_image():
    desk = begun(Plan(abort=(Share(1),)))
    assert gets_it(desk, LAMP)
    assert gets_it(desk, OTHER_LAMP)
    desk.report(LAMP, told(made(), Reason.CONDITION_FAILED))
    desk.publish(made("1.2.0", 3, image=NEWER), NEWER)
    assert desk.tracker.image(OTHER_LAMP.id) is None
    assert desk.tracker.cancelled(OTHER_LAMP.id).version == "1.1.0"
    assert gets_it(desk, OTHER_LAMP)


def test_a_failure_that_is_on_disk_ends_it_in_the_next_life_too():
    desk = begun(Plan(abort=(Share(1),)))
    gets_it(desk, LAMP)
    desk.report(LAMP, told(made(), Reason.CONDITION_FAILED))
    desk.restart()
    desk.admit()
    assert not gets_it(desk, OTHER_LAMP)
    desk.look()
    assert header(desk).status is Status.ABORTED


def test_what_the_way_or_the_disk_failed_is_no_failure_of_the_release():
    desk = begun(Plan(abort=(Share(1),)))
    gets_it(desk, LAMP)
    desk.report(LAMP, told(made(), Reason.OPERATION_FAILED))
    assert header(desk).status is Status.RUNNING
    assert gets_it(desk, LAMP), "it tries again"


def test_who_went_back_after_a_trial_failed():
    desk = begun(Plan(abort=(Share(1),)))
    gets_it(desk, LAMP)
    desk.report(LAMP, told(made(), Reason.OPERATION_FAILED, code=profile.REVERTED))
    assert header(desk).status is Status.ABORTED


def test_every_step_is_on_the_ledger_once():
    desk = begun()
    desk.look()
    gets_it(desk, LAMP)
    desk.report(LAMP, told(made()))
    desk.look()
    gets_it(desk, OTHER_LAMP)
    desk.report(OTHER_LAMP, told(made()))
    desk.look()
    desk.look()
    assert causes(desk) == [("begun", "running"), ("stage", "running"), ("done", "finished")]


def test_a_newer_release_ends_the_campaign_of_the_one_before():
    desk = begun()
    gets_it(desk, LAMP)
    desk.look()
    newer = made("1.2.0", 3, image=NEWER)
    desk.plan(EVERYONE, newer)
    desk.publish(newer, NEWER)
    desk.look()
    ((subject, ended),) = desk.campaigns.past
    assert (subject.version, ended.status, subject.outcome[Standing.OFFERED]) == ("1.1.0", Status.SUPERSEDED, 1)
    assert not [key for key in desk.kept.load() if "/" in key]
    desk.restart()
    desk.admit()
    assert len(desk.campaigns.past) == 1
    assert gets_it(desk, OTHER_LAMP)


@pytest.mark.requirement("R-72")
def test_who_was_updating_to_an_older_release_is_not_counted_twice_in_its_zone():
    plan = Plan(zone_share=Share(1))
    desk = begun(plan)
    assert [gets_it(desk, LAMP), gets_it(desk, OTHER_LAMP)] == [True, False]
    newer = made("1.2.0", 3, image=NEWER)
    desk.plan(plan, newer)
    desk.publish(newer, NEWER)
    assert [gets_it(desk, OTHER_LAMP), gets_it(desk, LAMP)] == [True, False]


def test_what_a_new_thing_says_that_it_runs_is_where_it_is_placed():
    desk = begun()
    gets_it(desk, LAMP)
    desk.report(LAMP, told(made()))
    newcomer = a_thing(7)
    desk.admit(newcomer)
    desk.report(newcomer, told(made()))
    campaign = desk.campaigns.find("LX-1/2").campaign
    assert campaign.standing(newcomer.id) is Standing.INSTALLED
    assert campaign.offered_at(newcomer.id) is None


def test_who_was_put_out_and_comes_back_has_its_place_still():
    desk = begun()
    gets_it(desk, LAMP)
    asyncio.run(desk.tracker.restrict(LAMP, cause="a test", transition_id=LAMP.transition_id))
    assert desk.campaigns.find("LX-1").campaign.standing(LAMP.id) is None
    desk.admit(LAMP)
    assert gets_it(desk, LAMP)


def test_of_who_has_left_for_good_nothing_is_kept():
    desk = begun()
    gets_it(desk, LAMP)
    asyncio.run(desk.tracker.withdraw(LAMP, cause="a test", transition_id=LAMP.transition_id))
    desk.look()
    assert not [key for key in desk.kept.load() if LAMP.id in key]


@pytest.mark.requirement("R-72")
def test_a_plan_waits_for_another_models_release_in_the_same_zone():
    leaf, gateway, far = (
        LAMP,
        a_thing(8, maker="brook", model="GW-1"),
        a_thing(9, maker="brook", model="GW-1", zone="x"),
    )
    desk = Desk(things=(leaf, gateway, far)).admit()
    desk.campaigns.record(far.id, SoftwareRecord(1, "0.9"))
    first = made("2.0.0", 5, vendor_id=BROOK, model="GW-1")
    desk.publish(first)
    desk.plan(Plan(after=(Dependency("GW-1", 0, "2.0.0"),)))
    desk.publish()
    assert not gets_it(desk, leaf)
    (waited_for,) = [desk.campaigns.behind(one, leaf.zone) for one in header(desk).plan.after]
    assert waited_for == {gateway.id}
    desk.report(gateway, told(first))
    assert gets_it(desk, leaf)


def test_a_plan_that_waits_for_what_was_never_published_is_refused():
    with pytest.raises(ConfigError, match=r"2.0.0 of GW-1, which was never published here"):
        Desk().plan(Plan(after=(Dependency("GW-1", 0, "2.0.0"),)))


@pytest.mark.parametrize("name", ["LX-1/9", "LX-9", ""])
def test_a_campaign_that_is_not_there_is_named_with_those_that_are(name):
    with pytest.raises(ConfigError, match=r"LX-1/2"):
        begun().campaigns.find(name)


@pytest.mark.requirement("R-72")
def test_a_restored_campaign_waits_for_a_person_for_it_may_have_been_ended_since():
    desk = begun()
    gets_it(desk, LAMP)
    desk.look()
    saved = dict(desk.tracker.snapshot())
    restored = Desk()
    asyncio.run(restored.tracker.restore(saved))
    restored.admit()
    assert (header(restored).status, header(restored).cause) == (Status.PAUSED, "restored")
    assert [gets_it(restored, OTHER_LAMP), gets_it(restored, LAMP)] == [False, True]


def test_a_restored_release_without_a_plan_goes_on_reaching_everybody():
    desk = begun(EVERYONE)
    desk.look()
    restored = Desk()
    asyncio.run(restored.tracker.restore(dict(desk.tracker.snapshot())))
    restored.admit()
    assert gets_it(restored, LAMP)


@pytest.mark.parametrize("document", [b"", b"\x80", b"\x81\x01"])
def test_a_backup_with_something_else_for_a_campaign_is_refused(document):
    with pytest.raises(DecodeError):
        asyncio.run(Desk().campaigns.restore({DOCUMENTS + "00" * 16: document}))


# --- who else has a say


def test_a_gate_keeps_a_thing_from_anything_new_and_says_why():
    desk = begun(EVERYONE)
    desk.tracker.gates.append(lambda thing: "its measurement is old" if thing == LAMP.id else "")
    assert [gets_it(desk, LAMP), gets_it(desk, OTHER_LAMP)] == [False, True]


def test_who_is_held_for_two_reasons_is_let_go_after_both():
    desk = begun(EVERYONE)
    desk.tracker.hold(LAMP.id, "one")
    desk.tracker.hold(LAMP.id, "two")
    desk.tracker.let_go(LAMP.id, "one")
    assert not gets_it(desk, LAMP)
    desk.tracker.let_go(LAMP.id, "two")
    assert gets_it(desk, LAMP)


def test_a_check_may_refuse_a_release_before_anybody_sees_it():
    desk = Desk().admit()

    async def check(release):
        raise PolicyError(f"{release.version} has no bill of materials", reason="sbom")

    desk.tracker.checks.append(check)
    with pytest.raises(PolicyError):
        desk.publish()
    assert desk.tracker.poll(LAMP.id) is None
    assert [one.cause for one in desk.entries(Kind.REFUSAL)] == ["sbom"]


def test_an_image_is_not_for_who_has_to_wait():
    desk = begun()
    gets_it(desk, LAMP)
    assert desk.tracker.image(OTHER_LAMP.id) is None
    assert desk.tracker.image(LAMP.id).image == IMAGE
