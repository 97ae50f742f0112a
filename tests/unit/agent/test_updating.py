import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.agent.updates import BIRTH, LOST, NEW, OLD, Domain, Thing, released
from tests.unit.protocols.suit.releases import AT, CLASSIC, QUANTUM, STRANGER, VENDOR, PowerCutError
from thingstead.agent.file_slots import FileSlots
from thingstead.agent.ports import Installed
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
    assert thing.activated == 1
    assert thing.updating.status() == {
        "version": "1.1.0",
        "sequence": 7,
        "updates": 1,
        "updates_refused": {},
        "last_update_error": "",
    }
    assert thing.domain.asked == [path.UPDATE, path.UPDATE_IMAGE, path.UPDATE_REPORT]
    assert [report.reason for report in thing.domain.reports] == [Reason.OK]
    assert thing.domain.reports[0].images == {release.FIRMWARE: digest_of(NEW)}


def test_what_runs_already_is_not_fetched_again_and_no_envelope_twice():
    thing = Thing()
    for _ in range(3):
        thing.poll()
    assert thing.domain.asked.count(path.UPDATE_IMAGE) == 1
    assert thing.domain.asked.count(path.UPDATE_REPORT) == 1
    again = Thing(thing.slots, thing.domain)
    again.poll()
    assert thing.domain.asked.count(path.UPDATE_IMAGE) == 1
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
    assert thing.activated == 0
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
    for place in range(20):
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
    pytest.fail("expected an update of fewer than twenty calls")


@pytest.mark.requirement("R-29")
@pytest.mark.requirement("R-73")
@pytest.mark.slow
def test_a_power_cut_at_any_system_call_leaves_the_old_or_the_new_image(tmp_path, monkeypatch):
    cuts = 0
    while True:
        directory = tmp_path / str(cuts)
        FileSlots(directory).install_first(OLD)
        thing = Thing(FileSlots(directory))
        with monkeypatch.context() as patched:
            power = _Power(cuts, patched)
            with contextlib.suppress(PowerCutError):
                thing.poll()
        assert _is_whole(FileSlots(directory))
        after = Thing(FileSlots(directory))
        after.poll()
        assert after.slots.active() == NEW
        assert after.domain.reports[-1].reason is Reason.OK
        if not power.was_cut:
            break
        cuts += 1
    assert cuts > 12


def _is_whole(slots):
    return (slots.active(), slots.installed().sequence_number) in {(OLD, 1), (NEW, 7)}


class _FailingSlots(MemorySlots):
    """Refuses one call, counted from the first that changes something; an activation fails after it was made."""

    def __init__(self, fail_at):
        super().__init__(OLD)
        self.fail_at = fail_at
        self.failed = False
        self.calls = 0

    def clear_candidate(self):
        self._call()
        super().clear_candidate()

    def write(self, offset, data):
        self._call()
        super().write(offset, data)

    def activate(self, installed):
        super().activate(installed)
        self._call()

    def _call(self):
        if self.calls == self.fail_at:
            self.failed = True
            raise StorageError("the disk is full")
        self.calls += 1


class _Power:
    """Goes before the n-th call that reaches the disk; what was written until then stays, half an image too."""

    def __init__(self, cut_at, patched):
        self.left = cut_at
        self.was_cut = False
        for target in ("os.open", "os.fsync", "pathlib.Path.replace"):
            self._guard(target, patched)

    def _guard(self, target, patched):
        module, _, name = target.rpartition(".")
        owner = __import__("os") if module == "os" else __import__("pathlib").Path
        original = getattr(owner, name)

        def guarded(*args, **kwargs):
            if self.left == 0:
                self.was_cut = True
                raise PowerCutError
            self.left -= 1
            return original(*args, **kwargs)

        patched.setattr(owner, name, guarded)


def test_use_before_is_the_thing_s_own_clock_s_matter():
    domain = offered(use_before=AT + timedelta(seconds=1))
    Thing(domain=domain).poll()
    late = Thing(domain=domain, at=AT + timedelta(seconds=1))
    late.poll()
    assert late.slots.active() == OLD


def test_a_firmware_without_an_interval_leaves_it_to_the_settings():
    assert firmware.decode(OLD).telemetry_interval is None
