from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.agent.updates import BIRTH, DEADLINE, LOST, NEW, OLD, Domain, Thing, released
from tests.unit.protocols.suit.releases import AT, CLASSIC, QUANTUM, STRANGER, VENDOR
from thingstead.agent.ports import Area, Installed
from thingstead.errors import StorageError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import firmware, path, release
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.suit import builder, envelope
from thingstead.protocols.suit.builder import Release
from thingstead.protocols.suit.digest import digest_of, digest_of_member
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.suit.registry import Reason
from thingstead.simulator.virtual.memory import MemorySlots


def offered(*args, image=NEW, **changes):
    return Domain(envelope.encode(released(*args, **changes)), image)


def written(*, uri=release.IMAGE_URI, **changes):
    made = Release(release.FIRMWARE, VENDOR, BIRTH.class_id, 7, "1.1.0", digest_of(NEW), len(NEW), uri)
    keys = [(release.signer(key.public), key) for key in (CLASSIC, QUANTUM)]
    return envelope.encode(builder.sign(builder.build(replace(made, **changes)), keys))


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_a_release_under_both_signatures_is_installed_obeyed_and_reported():
    thing = Thing()
    wait = thing.poll()
    assert (wait.seconds, wait.name) == (3.0, "update")
    assert thing.slots.active() == NEW
    assert thing.updating.firmware == Firmware("1.1.0", 0.5)
    assert thing.reboots == 1
    assert thing.updating.status() == {
        "version": "1.1.0",
        "sequence": 7,
        "on_trial": False,
        "updates": 1,
        "updates_refused": {},
        "last_update_error": "",
    }
    assert thing.domain.asked == [path.UPDATE, *[path.UPDATE_IMAGE] * 11, path.UPDATE, path.UPDATE_REPORT, path.UPDATE]
    assert [report.reason for report in thing.domain.reports] == [Reason.OK]
    assert thing.domain.reports[0].images == {release.FIRMWARE: digest_of(NEW)}


def test_what_runs_already_is_not_fetched_again_and_no_envelope_twice():
    thing = Thing()
    for _ in range(3):
        thing.poll()
    assert thing.domain.asked.count(path.UPDATE_IMAGE) == 11
    assert thing.domain.asked.count(path.UPDATE_REPORT) == 1
    again = Thing(thing.slots, thing.domain)
    again.poll()
    assert thing.domain.asked.count(path.UPDATE_IMAGE) == 11
    assert again.updating.last_error == ""


def test_a_thing_that_starts_says_what_it_runs_until_it_is_heard():
    thing = Thing()
    thing.poll()
    domain = Domain(fail={path.UPDATE_REPORT: LOST})
    again = Thing(thing.slots, domain)
    again.poll()
    assert domain.reports == []
    domain.fail.clear()
    again.poll()
    again.poll()
    assert [report.reason for report in domain.reports] == [Reason.OK]


def test_what_the_factory_put_there_is_not_reported():
    domain = Domain(code={path.UPDATE: Code.NOT_FOUND})
    Thing(domain=domain).poll()
    assert domain.asked == [path.UPDATE]


OTHER_VENDOR = vendor_identifier("stranger.example")
REFUSALS = {
    "unsigned": (offered(keys=()), "unsigned", Reason.UNAUTHORISED),
    "only the classic signature": (offered(keys=(CLASSIC,)), "signers", Reason.UNAUTHORISED),
    "only the quantum-safe signature": (offered(keys=(QUANTUM,)), "signers", Reason.UNAUTHORISED),
    "a stranger's signature": (offered(keys=(STRANGER, QUANTUM)), "signers", Reason.UNAUTHORISED),
    "another vendor": (offered(vendor_id=OTHER_VENDOR), "vendor", Reason.CONDITION_FAILED),
    "another class": (offered(class_id=class_identifier(VENDOR, "lamp-2")), "class", Reason.CONDITION_FAILED),
    "expired": (offered(use_before=AT), "expired", Reason.CONDITION_FAILED),
    "older": (offered(sequence_number=0), "rollback", Reason.CONDITION_FAILED),
    "the installed number again": (offered(sequence_number=1), "rollback", Reason.CONDITION_FAILED),
    "an altered image": (offered(image=flipped(NEW, 5000)), "image-digest", Reason.CONDITION_FAILED),
    "a shorter image": (offered(image=NEW[:-1]), "size", Reason.OPERATION_FAILED),
    "an image that would not start": (offered(b"\x7fELF", image=b"\x7fELF"), "image", Reason.CONDITION_FAILED),
    "another place": (Domain(written(uri="coap://elsewhere.example/image")), "uri", Reason.OPERATION_FAILED),
    "another component": (Domain(written(component=(b"bootloader",))), "component", Reason.COMPONENT_UNSUPPORTED),
    "no envelope": (Domain(b"firmware"), "malformed", Reason.CBOR_PARSE),
}


@pytest.mark.requirement("R-29")
@pytest.mark.requirement("R-70")
@pytest.mark.parametrize("name", REFUSALS)
def test_a_release_that_must_not_run_is_refused_reported_and_counted_once(name):
    domain, slug, reason = REFUSALS[name]
    thing = Thing(domain=replace(domain, asked=[], reports=[]))
    thing.poll()
    thing.poll()
    assert thing.slots.active() == OLD
    assert thing.slots.installed() == Installed(1)
    assert thing.reboots == 0
    assert dict(thing.updating.refused) == {slug: 1}
    assert thing.updating.last_error
    assert [report.reason for report in thing.domain.reports] == [reason]
    assert thing.domain.reports[0].images == {release.FIRMWARE: digest_of(OLD)}


@pytest.mark.requirement("R-29")
def test_no_altered_byte_of_the_envelope_gets_an_image_installed():
    good = Domain().envelope
    for place in range(0, len(good), 97):
        thing = Thing(domain=Domain(flipped(good, place)))
        thing.poll()
        assert thing.slots.active() == OLD, place
        assert thing.updating.refused.total() == 1


def test_a_manifest_that_asks_for_the_slot_is_not_for_a_thing_that_chooses_itself():
    parameters = {1: VENDOR, 2: BIRTH.class_id, 3: digest_of(NEW).encode(), 5: 1, 14: len(NEW), 21: release.IMAGE_URI}
    common = {2: [list(release.FIRMWARE)], 4: codec.encode([20, parameters, 1, 15, 2, 15])}
    encoded = codec.encode({1: 1, 2: 7, 3: codec.encode(common), 20: codec.encode([5, 15, 21, 2, 3, 15])})
    digest = digest_of_member(encoded)
    keys = [(release.signer(key.public), key) for key in (CLASSIC, QUANTUM)]
    thing = Thing(domain=Domain(envelope.encode(builder.sign(Envelope(digest, digest.encode(), (), encoded), keys))))
    thing.poll()
    assert thing.slots.active() == OLD
    assert dict(thing.updating.refused) == {"command": 1}


def test_after_a_refused_release_a_good_one_is_taken():
    thing = Thing(domain=offered(keys=(CLASSIC,)))
    thing.poll()
    thing.domain.envelope = Domain().envelope
    thing.poll()
    assert thing.slots.active() == NEW
    assert thing.updating.last_error == ""


@pytest.mark.requirement("R-29")
@pytest.mark.requirement("R-73")
@pytest.mark.parametrize("lost", [LOST, UntrustedError("the association was ended", reason="ended")])
def test_a_download_that_breaks_off_keeps_the_image_and_is_tried_again(lost):
    thing = Thing(domain=Domain(fail={path.UPDATE_IMAGE: lost}))
    thing.poll()
    assert thing.slots.active() == OLD
    assert [report.reason for report in thing.domain.reports] == [Reason.OPERATION_FAILED]
    thing.domain.fail.clear()
    thing.poll()
    assert thing.slots.active() == NEW


@pytest.mark.parametrize("code", [Code.FORBIDDEN, Code.NOT_FOUND, Code.INTERNAL_SERVER_ERROR])
def test_an_image_that_is_not_given_is_asked_for_again(code):
    thing = Thing(domain=Domain(code={path.UPDATE_IMAGE: code}))
    thing.poll()
    assert thing.slots.active() == OLD
    thing.domain.code.clear()
    thing.poll()
    assert thing.slots.active() == NEW


@pytest.mark.parametrize("lost", [path.UPDATE, path.UPDATE_REPORT])
def test_a_domain_that_does_not_answer_is_asked_again(lost):
    thing = Thing(domain=Domain(fail={lost: LOST}))
    thing.poll()
    thing.domain.fail.clear()
    thing.poll()
    assert thing.slots.active() == NEW
    assert [report.reason for report in thing.domain.reports] == [Reason.OK]


def test_a_report_that_the_domain_cannot_keep_now_is_sent_again():
    thing = Thing(domain=Domain(code={path.UPDATE_REPORT: Code.INTERNAL_SERVER_ERROR}))
    thing.poll()
    thing.domain.code.clear()
    thing.poll()
    assert len(thing.domain.reports) == 1


@pytest.mark.parametrize("answer", [Code.FORBIDDEN, Code.NOT_FOUND, Code.UNAUTHORIZED])
def test_a_poll_that_is_refused_changes_nothing(answer):
    thing = Thing(domain=Domain(code={path.UPDATE: answer}))
    thing.poll()
    assert thing.slots.active() == OLD
    assert thing.updating.refused.total() == 0


def test_an_image_that_is_not_ours_runs_and_changes_nothing():
    thing = Thing(MemorySlots(b"\x7fELF"))
    assert thing.updating.firmware == Firmware("unknown")


def test_an_integrated_image_needs_no_download():
    thing = Thing(domain=Domain(written(uri="#image", payloads={"#image": NEW})))
    thing.poll()
    assert thing.slots.active() == NEW
    assert path.UPDATE_IMAGE not in thing.domain.asked


@pytest.mark.requirement("R-29")
@pytest.mark.requirement("R-73")
def test_a_disk_that_fails_at_any_call_leaves_an_image_that_fits_its_number():
    for place in range(40):
        slots = _FailingSlots(fail_at=place)
        thing = Thing(slots)
        thing.poll()
        assert _is_whole(slots)
        slots.fail_at = None
        thing.poll()
        assert slots.active() == NEW
        assert thing.updating.firmware.version == "1.1.0"
        if not slots.failed:
            return
    pytest.fail("expected an update of fewer than forty calls")


def _is_whole(slots):
    return (slots.active(), slots.installed().sequence_number) in {(OLD, 1), (NEW, 7)}


class _FailingSlots(MemorySlots):
    """Refuses one call that changes something; one that moves a pointer fails after it was made."""

    def __init__(self, fail_at):
        super().__init__(OLD)
        self.fail_at = fail_at
        self.failed = False
        self.calls = 0

    def truncate(self, area, component, size):
        self._call()
        super().truncate(area, component, size)

    def write(self, area, component, offset, data):
        self._call()
        super().write(area, component, offset, data)

    def keep(self, download):
        self._call()
        super().keep(download)

    def activate(self, components, release):
        super().activate(components, release)
        self._call()

    def confirm(self):
        super().confirm()
        self._call()

    def _call(self):
        if self.calls == self.fail_at:
            self.failed = True
            raise StorageError("the disk is full")
        self.calls += 1


def test_use_before_is_the_thing_s_own_clock_s_matter():
    domain = offered(use_before=AT + timedelta(seconds=1))
    Thing(domain=domain).poll()
    late = Thing(domain=domain, at=AT + timedelta(seconds=1))
    late.poll()
    assert late.slots.active() == OLD


def test_a_firmware_without_an_interval_leaves_it_to_the_settings():
    assert firmware.decode(OLD).telemetry_interval is None


# --- the trial


@pytest.mark.requirement("R-73")
def test_a_release_counts_only_when_the_thing_has_worked_with_it():
    thing = Thing()
    thing.drive(thing.story)
    assert thing.is_rebooting
    assert thing.slots.active() == NEW
    assert thing.slots.standing().installed == Installed(1)
    assert thing.domain.reports == []
    thing.start()
    assert thing.updating.status()["on_trial"] is True
    thing.run(thing.updating.trial(interval=1.0))
    assert thing.slots.standing().installed.sequence_number == 7
    thing.drive(thing.story)
    assert [report.reason for report in thing.domain.reports] == [Reason.OK]


SICK = StorageError("the sensor does not answer")


@pytest.mark.requirement("R-73")
@pytest.mark.parametrize("unwell", ["check", "unreachable", "trouble"])
def test_a_release_with_which_the_thing_does_not_work_goes_back_and_is_reported_once(unwell):
    thing = Thing()
    thing.drive(thing.story)
    thing.start()
    thing.ailment = SICK if unwell == "check" else None
    thing.domain.fail = {path.UPDATE: LOST} if unwell == "unreachable" else {}
    thing.domain.code = {path.UPDATE: Code.INTERNAL_SERVER_ERROR} if unwell == "trouble" else {}
    thing.run(thing.updating.trial(interval=1.0))
    assert thing.now == DEADLINE
    assert thing.is_rebooting
    thing.ailment = None
    thing.domain.fail, thing.domain.code = {}, {}
    thing.start()
    assert (thing.slots.active(), thing.slots.installed()) == (OLD, Installed(1))
    for _ in range(3):
        thing.poll()
        thing.start()
    assert [(report.reason, report.code) for report in thing.domain.reports] == [
        (Reason.OPERATION_FAILED, release.REVERTED)
    ]
    assert thing.domain.reports[0].images == {release.FIRMWARE: digest_of(OLD)}
    assert thing.slots.active() == OLD


class Full(MemorySlots):
    """Takes the way back at the third attempt."""

    refusals = 2

    def revert(self):
        if self.refusals:
            self.refusals -= 1
            raise SICK
        super().revert()


@pytest.mark.requirement("R-73")
def test_a_disk_that_does_not_take_the_way_back_is_asked_until_it_does():
    thing = Thing(Full(OLD))
    thing.drive(thing.story)
    thing.start()
    thing.domain.fail = {path.UPDATE: LOST}
    thing.run(thing.updating.trial(interval=1.0))
    assert (thing.now, thing.is_rebooting) == (DEADLINE + 2, True)
    assert (thing.slots.active(), thing.slots.installed()) == (OLD, Installed(1))
    assert thing.updating.refused == {"trial": 1}


@pytest.mark.requirement("R-73")
def test_a_thing_that_gets_well_in_time_keeps_the_release():
    thing = Thing()
    thing.drive(thing.story)
    thing.start()
    thing.ailment = SICK
    trial = thing.updating.trial(interval=1.0)
    thing.now += thing.drive(trial).seconds
    thing.ailment = None
    thing.run(trial)
    assert thing.slots.standing().installed.sequence_number == 7


@pytest.mark.requirement("R-73")
def test_a_thing_that_falls_over_under_a_release_comes_back_with_the_one_before():
    thing = Thing()
    thing.drive(thing.story)
    for boot in (1, 2, 3):
        thing.start()
        assert thing.slots.standing().boots == boot
        assert thing.slots.active() == NEW
    thing.start()
    assert thing.slots.active() == OLD
    thing.poll()
    assert [report.code for report in thing.domain.reports] == [release.REVERTED]


class Sick(MemorySlots):
    """Takes neither a count of starts nor the way back while it is full."""

    is_full = False

    def count_boot(self):
        self._require_room()
        super().count_boot()

    def revert(self):
        self._require_room()
        super().revert()

    def _require_room(self):
        if self.is_full:
            raise SICK


@pytest.mark.requirement("R-73")
def test_a_full_disk_keeps_no_thing_from_starting_and_the_start_is_counted_once_it_can_be():
    slots = Sick(OLD)
    thing = Thing(slots)
    thing.drive(thing.story)
    slots.is_full = True
    thing.start()
    assert (thing.slots.active(), thing.slots.standing().boots) == (NEW, 0)
    trial = thing.updating.trial(interval=1.0)
    thing.now += thing.drive(trial).seconds
    assert thing.updating.is_on_trial
    slots.is_full = False
    thing.run(trial)
    assert thing.slots.installed().sequence_number == 7


@pytest.mark.requirement("R-73")
def test_what_fell_over_too_often_goes_back_as_soon_as_the_disk_takes_it():
    slots = Sick(OLD)
    thing = Thing(slots)
    thing.drive(thing.story)
    for _ in range(3):
        thing.start()
    slots.is_full = True
    thing.start()
    assert thing.slots.active() == NEW
    trial = thing.updating.trial(interval=1.0)
    thing.now += thing.drive(trial).seconds
    slots.is_full = False
    thing.run(trial)
    assert (thing.slots.active(), thing.slots.installed(), thing.is_rebooting) == (OLD, Installed(1), True)


def test_a_revert_that_was_not_heard_is_told_again_after_a_restart():
    thing = _reverted()
    thing.domain.code = {path.UPDATE_REPORT: Code.INTERNAL_SERVER_ERROR}
    thing.poll()
    thing.domain.code = {}
    thing.start()
    thing.poll()
    thing.start()
    thing.poll()
    assert [report.code for report in thing.domain.reports] == [release.REVERTED]


def test_what_did_not_prove_itself_is_tried_again_when_somebody_says_so():
    thing = _reverted()
    thing.poll()
    assert thing.slots.active() == OLD
    thing.updating.forgive()
    thing.updating.forgive()
    thing.poll()
    assert thing.slots.active() == NEW
    assert thing.domain.reports[-1].reason is Reason.OK


def test_another_release_is_tried_after_one_that_did_not_prove_itself():
    thing = _reverted()
    thing.domain.envelope = envelope.encode(released(sequence_number=8))
    thing.poll()
    assert thing.slots.installed().sequence_number == 8


def _reverted():
    thing = Thing()
    thing.drive(thing.story)
    thing.slots.revert()
    thing.start()
    return thing


# --- where a download goes on


@pytest.mark.requirement("R-73")
@pytest.mark.parametrize("restarts", [False, True])
def test_an_interrupted_download_goes_on_where_it_was(restarts):
    thing = Thing(domain=Domain(lose_at={8192}))
    thing.poll()
    if restarts:
        thing.start()
    thing.domain.blocks.clear()
    thing.poll()
    assert thing.domain.blocks == [8192, 9216, 10240]
    assert thing.slots.active() == NEW


@pytest.mark.requirement("R-73")
def test_what_the_flash_lost_of_a_download_is_fetched_again_and_not_held_against_the_release():
    thing = Thing(domain=Domain(lose_at={8192}))
    thing.poll()
    thing.slots.write(Area.CANDIDATE, release.FIRMWARE, 4096, bytes(4096))
    thing.domain.blocks.clear()
    thing.poll()
    assert thing.domain.blocks == [8192, 9216, 10240, *range(0, 11 * 1024, 1024)]
    assert thing.slots.active() == NEW
    assert Reason.CONDITION_FAILED not in {report.reason for report in thing.domain.reports}


def test_another_release_does_not_go_on_where_one_was_interrupted():
    thing = Thing(domain=Domain(lose_at={8192}))
    thing.poll()
    other = firmware.encode(Firmware("1.2.0"), bytes(12_000))
    thing.domain.envelope, thing.domain.image = envelope.encode(released(other, sequence_number=8)), other
    thing.domain.blocks.clear()
    thing.poll()
    assert thing.domain.blocks[0] == 0
    assert thing.slots.active() == other


def test_a_refused_image_is_not_gone_on_with():
    thing = Thing(domain=Domain(image=flipped(NEW, 5000)))
    thing.poll()
    assert thing.slots.download() is None
