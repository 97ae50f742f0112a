import asyncio
from datetime import timedelta

import pytest

from tests.unit.planes.software.desk import ANCHORS, BROOK, IMAGE, LAMP, OPEN, OTHER_LAMP, SENSOR, Desk, made, told
from tests.unit.protocols.suit.releases import AT as SUIT_AT
from tests.unit.protocols.suit.releases import CLASSIC, QUANTUM, STRANGER
from thingstead.analysis.image_scan import Finding
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.errors import DecodeError, ForbiddenError, PolicyError, StorageError, ThingsteadError, TransportError
from thingstead.protocols.suit.registry import Reason


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_a_release_is_offered_to_the_things_of_its_class_and_to_no_other():
    desk = Desk().admit()
    campaign = desk.publish()
    assert (campaign.maker, campaign.model, campaign.version, campaign.things) == ("acme", "LX-1", "1.1.0", 2)
    assert desk.tracker.poll(LAMP.id).version == "1.1.0"
    assert desk.tracker.image(LAMP.id).image == IMAGE
    assert desk.tracker.poll(SENSOR.id) is None


REFUSALS = {
    "unsigned": (made(keys=()), IMAGE, "unsigned"),
    "only the classic signature": (made(keys=(CLASSIC,)), IMAGE, "signers"),
    "only the quantum-safe signature": (made(keys=(QUANTUM,)), IMAGE, "signers"),
    "a stranger's signature": (made(keys=(STRANGER, QUANTUM)), IMAGE, "signers"),
    "a vendor without anchor": (made(vendor_id=bytes(16)), IMAGE, "vendor"),
    "a class that nobody is of": (made(model="LX-9"), IMAGE, "class"),
    "another maker's class": (made(vendor_id=BROOK, model="LX-1"), IMAGE, "class"),
    "the number of the last one": (made("1.1.1", 2), IMAGE, "rollback"),
    "an older one": (made("1.0.9", 1), IMAGE, "rollback"),
    "past its use": (made("1.2.0", 3, use_before=SUIT_AT - timedelta(days=1)), IMAGE, "expired"),
    "another image": (made("1.2.0", 3), flipped(IMAGE, 7), "image-digest"),
    "a longer image": (made("1.2.0", 3), IMAGE + b"x", "size"),
    "no envelope": (b"release", IMAGE, "malformed"),
}


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("name", REFUSALS)
def test_a_release_that_things_would_refuse_is_not_published(name):
    encoded, image, reason = REFUSALS[name]
    desk = Desk().admit()
    desk.publish()
    with pytest.raises(ThingsteadError) as refusal:
        desk.publish(encoded, image)
    assert refusal.value.reason == reason
    assert desk.tracker.poll(LAMP.id).version == "1.1.0"
    assert dict(desk.tracker.not_published) == {reason: 1}
    assert [one.cause for one in desk.entries(Kind.REFUSAL)] == [reason]
    assert len(desk.entries(Kind.RELEASE)) == 1


@pytest.mark.requirement("R-29")
def test_no_altered_byte_of_the_envelope_is_published():
    good = made()
    desk = Desk()
    for place in range(0, len(good), 211):
        with pytest.raises(ThingsteadError):
            desk.publish(flipped(good, place))
    assert desk.tracker.campaigns() == ()


@pytest.mark.requirement("R-88")
def test_an_image_with_a_secret_is_refused_by_place_and_never_by_its_bytes():
    desk = Desk().admit()
    desk.findings = [Finding("private_key", 17, "a private key")]
    with pytest.raises(PolicyError) as refusal:
        desk.publish()
    assert refusal.value.reason == "image"
    assert "image, offset 17: a private key" in str(refusal.value)
    assert desk.tracker.poll(LAMP.id) is None


def test_a_refusal_is_shown_only_after_one_was_seen():
    desk = Desk().admit()
    desk.publish()
    assert not any(one.holds for number in ("R-29", "R-88") for one in desk.tracker.findings(number))
    desk.findings = [Finding("private_key", 17, "a private key")]
    with pytest.raises(PolicyError):
        desk.publish(made("1.2.0", 3))
    assert all(one.holds for number in ("R-29", "R-88") for one in desk.tracker.findings(number))


@pytest.mark.parametrize("number", ["R-70", "R-73"])
def test_what_this_plane_cannot_see_it_does_not_show(number):
    desk = Desk().admit()
    desk.publish()
    (finding,) = desk.tracker.findings(number)
    assert not finding.holds
    assert "1 releases published" in finding.evidence


def test_what_cannot_be_kept_is_not_offered():
    desk = Desk().admit()
    desk.records.error = StorageError("the disk is full")
    with pytest.raises(StorageError):
        desk.publish()
    assert desk.tracker.poll(LAMP.id) is None


def test_two_releases_at_once_do_not_pass_the_same_number():
    desk = Desk().admit()

    async def both():
        return await asyncio.gather(
            desk.tracker.publish(made("1.1.0", 2), IMAGE, terms=OPEN),
            desk.tracker.publish(made("1.1.1", 2), IMAGE, terms=OPEN),
            return_exceptions=True,
        )

    first, second = asyncio.run(both())
    assert first.version == "1.1.0"
    assert second.reason == "rollback"


def test_a_poll_costs_no_write():
    desk = Desk().admit()
    desk.publish()
    writes = desk.records.writes
    for _ in range(100):
        desk.tracker.poll(LAMP.id)
        desk.tracker.image(LAMP.id)
    assert desk.records.writes == writes


def test_who_was_given_an_envelope_gets_the_image_of_that_one():
    desk = Desk().admit()
    desk.publish()
    desk.tracker.poll(LAMP.id)
    newer = b"image 1.2.0 " * 90
    desk.publish(made("1.2.0", 3, image=newer), newer)
    assert desk.tracker.image(LAMP.id).image == IMAGE
    assert desk.tracker.image(OTHER_LAMP.id).image == newer
    desk.tracker.poll(LAMP.id)
    assert desk.tracker.image(LAMP.id).image == newer


def test_a_release_past_its_use_is_not_offered_any_more():
    desk = Desk().admit()
    desk.publish(made(use_before=desk.clock.utc() + timedelta(days=1)))
    assert desk.tracker.poll(LAMP.id).version == "1.1.0"
    desk.clock.seconds += 86400
    assert desk.tracker.poll(LAMP.id) is None


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("ask", ["poll", "image"])
def test_who_is_not_admitted_is_told_nothing(ask):
    desk = Desk()
    desk.publish()
    with pytest.raises(ForbiddenError):
        getattr(desk.tracker, ask)(LAMP.id)


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("away", ["quarantined", "retired"])
def test_who_is_taken_out_is_told_nothing_and_its_last_poll_is_known(away):
    desk = Desk().admit()
    desk.publish()
    desk.tracker.poll(LAMP.id)
    at = desk.clock.utc()
    desk.clock.seconds += 5
    gone = {
        "quarantined": LAMP.evolve(restriction=Restriction.QUARANTINED),
        "retired": LAMP.evolve(state=LifecycleState.DECOMMISSIONED),
    }[away]
    demand = {"quarantined": desk.tracker.restrict, "retired": desk.tracker.withdraw}[away]
    asyncio.run(demand(gone, cause="tested", transition_id=gone.transition_id))
    with pytest.raises(ForbiddenError):
        desk.tracker.poll(LAMP.id)
    with pytest.raises(ForbiddenError):
        desk.report(LAMP, told(made()))
    assert asyncio.run(desk.tracker.probe(gone)).last_acceptance == at


def test_a_maker_whose_anchor_was_taken_away_is_offered_nothing():
    desk = Desk().admit()
    desk.publish()
    desk.restart(anchors=ANCHORS[1:])
    desk.admit()
    with pytest.raises(ForbiddenError):
        desk.tracker.poll(LAMP.id)


def test_what_was_offered_is_not_handed_out_any_more_once_its_maker_is_not_trusted():
    desk = Desk().admit()
    desk.publish()
    assert desk.tracker.poll(LAMP.id) is not None
    desk.tracker.trust(ANCHORS[1:])
    with pytest.raises(ForbiddenError):
        desk.tracker.poll(LAMP.id)
    desk.tracker.trust(ANCHORS)
    assert desk.tracker.poll(LAMP.id) is not None


def test_a_report_is_kept_once_and_put_on_the_ledger():
    desk = Desk().admit()
    desk.publish()
    writes = desk.records.writes
    for _ in range(3):
        desk.report(LAMP, told(made()))
    assert desk.records.writes == writes + 1
    record = desk.tracker.runs(LAMP.id)
    assert (record.version, record.sequence_number, record.installed_at) == ("1.1.0", 2, desk.clock.utc())
    (written,) = desk.entries(Kind.INSTALLATION)
    assert (written.thing, written.cause, written.details["version"]) == (LAMP.id, "installed", "1.1.0")


def test_a_refusal_is_kept_once_per_reason_until_the_release_runs():
    desk = Desk().admit()
    desk.publish()
    for reason in (Reason.OPERATION_FAILED, Reason.OPERATION_FAILED, Reason.UNAUTHORISED):
        desk.report(LAMP, told(made(), reason))
    assert desk.tracker.campaigns()[0].refused == 1
    desk.report(LAMP, told(made()))
    desk.report(LAMP, told(made(), Reason.CONDITION_FAILED))
    causes = [one.details["reason"] for one in desk.entries(Kind.INSTALLATION)]
    assert causes == ["operation-failed", "unauthorised", "ok"]
    (campaign,) = desk.tracker.campaigns()
    assert (campaign.things, campaign.offered, campaign.fetched) == (2, 1, 1)
    assert (campaign.installed, campaign.refused) == (1, 0)


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (told(made("6.6.6", 6)), "unknown-manifest"),
        (told(made(vendor_id=BROOK, model="TH-2")), "unknown-manifest"),
        (told(made(), image=b"another image"), "measurement"),
    ],
)
def test_a_report_that_cannot_be_true_is_refused_and_changes_nothing(encoded, reason):
    desk = Desk().admit()
    desk.publish()
    desk.publish(made(vendor_id=BROOK, model="TH-2"))
    newer = made("1.2.0", 3)
    desk.publish(newer)
    desk.report(LAMP, told(newer))
    with pytest.raises(ForbiddenError) as refusal:
        desk.report(LAMP, encoded)
    assert refusal.value.reason == reason
    assert len(desk.entries(Kind.INSTALLATION)) == 1


def test_what_a_thing_brought_along_is_believed_once_and_gives_way_to_a_release_of_ours():
    desk = Desk().admit()
    desk.publish()
    elsewhere = told(made("0.9.0", 1), image=b"of the last owner's days")
    desk.report(LAMP, elsewhere)
    desk.report(LAMP, elsewhere)
    assert (desk.tracker.runs(LAMP.id).sequence_number, desk.tracker.runs(LAMP.id).version) == (-1, "")
    with pytest.raises(ForbiddenError):
        desk.report(LAMP, told(made("6.6.6", 6)))
    desk.report(LAMP, told(made()))
    assert [one.cause for one in desk.entries(Kind.INSTALLATION)] == ["brought-along", "installed"]


def test_a_refusal_of_what_was_never_offered_is_no_record():
    desk = Desk().admit()
    with pytest.raises(ForbiddenError):
        desk.report(LAMP, told(made(), Reason.UNAUTHORISED))
    assert desk.tracker.runs(LAMP.id).manifest_digest == b""


@pytest.mark.requirement("R-29")
def test_a_thing_that_reports_a_step_back_is_refused():
    desk = Desk().admit()
    desk.publish()
    newer = made("1.2.0", 3)
    desk.publish(newer)
    desk.report(LAMP, told(newer))
    with pytest.raises(ForbiddenError) as refusal:
        desk.report(LAMP, told(made()))
    assert refusal.value.reason == "rollback"
    assert desk.tracker.runs(LAMP.id).version == "1.2.0"


def test_bytes_that_are_no_report_are_refused():
    desk = Desk().admit()
    desk.publish()
    with pytest.raises(DecodeError):
        desk.report(LAMP, b"\xff")


def test_a_report_that_is_not_on_disk_is_not_taken_for_known():
    desk = Desk().admit()
    desk.publish()
    desk.records.error = StorageError("the disk is full")
    with pytest.raises(StorageError):
        desk.report(LAMP, told(made()))
    desk.records.error = None
    assert desk.tracker.runs(LAMP.id).sequence_number == -1
    desk.report(LAMP, told(made()))
    assert len(desk.entries(Kind.INSTALLATION)) == 1


def test_a_second_report_waits_for_the_first_to_be_on_disk():
    desk = Desk().admit()
    desk.publish()
    gate = asyncio.Event()
    write = desk.records.write

    async def slow(changes, *, entries=()):
        await gate.wait()
        await write(changes, entries=entries)

    desk.records.write = slow

    async def second():
        with pytest.raises(TransportError):
            await desk.tracker.report(LAMP.id, told(made()))
        gate.set()

    async def both():
        await asyncio.gather(desk.tracker.report(LAMP.id, told(made())), second())

    asyncio.run(both())


def test_releases_and_reports_outlive_a_restart_and_numbers_do_not_start_again():
    desk = Desk().admit()
    desk.publish()
    desk.report(LAMP, told(made()))
    desk.restart()
    desk.admit()
    assert desk.tracker.poll(OTHER_LAMP.id).version == "1.1.0"
    assert desk.tracker.runs(LAMP.id).version == "1.1.0"
    (campaign,) = desk.tracker.campaigns()
    assert (campaign.installed, campaign.fetched, campaign.offered) == (1, 1, 2)
    with pytest.raises(ThingsteadError):
        desk.publish(made("1.0.9", 1))


def test_an_expired_release_still_keeps_older_ones_out_after_a_restart():
    desk = Desk().admit()
    desk.publish(made(use_before=desk.clock.utc() + timedelta(days=1)))
    desk.clock.seconds += 2 * 86400
    desk.restart()
    desk.admit()
    assert desk.tracker.poll(LAMP.id) is None
    with pytest.raises(ThingsteadError) as refusal:
        desk.publish(made("1.0.9", 1))
    assert refusal.value.reason == "rollback"


def test_a_backup_brings_releases_back_but_none_that_is_older():
    desk = Desk().admit()
    desk.publish()
    desk.report(LAMP, told(made()))
    backup = dict(desk.tracker.snapshot())
    other = Desk().admit()
    asyncio.run(other.tracker.restore(backup))
    assert other.tracker.poll(OTHER_LAMP.id).version == "1.1.0"
    assert other.tracker.runs(LAMP.id).version == "1.1.0"
    newer = made("1.2.0", 3, image=b"newer")
    desk.publish(newer, b"newer")
    asyncio.run(desk.tracker.restore(backup))
    assert desk.tracker.poll(LAMP.id).version == "1.2.0"


def test_expiries_name_the_end_of_support_and_who_would_miss_a_release():
    desk = Desk().admit()
    end = desk.clock.utc() + timedelta(days=30)
    desk.publish(made(use_before=end))
    desk.report(LAMP, told(made(use_before=end)))
    found = {one.what: one for one in desk.tracker.expiries()}
    assert found["release 1.1.0"].strands == (OTHER_LAMP.id,)
    assert found["release 1.1.0"].at == end
    assert found["support of acme LX-1"].at == LAMP.support_end


@pytest.mark.requirement("R-90")
@pytest.mark.parametrize("question", ["T7", "C5.4", "R-29", "R-70", "R-73", "R-87", "R-88"])
def test_findings_hold_live_figures_and_an_installation_shows_no_refusal(question):
    desk = Desk().admit()
    (before,) = desk.tracker.findings(question)
    assert not before.holds
    desk.publish()
    desk.report(LAMP, told(made()))
    (after,) = desk.tracker.findings(question)
    assert after.holds is (question in {"C5.4", "R-87"})
    assert "1 of 2 things run the newest" in after.evidence
