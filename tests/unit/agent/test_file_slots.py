import pytest

from thingstead.agent.file_slots import FileSlots
from thingstead.agent.ports import Area, Download, Installed, Standing
from thingstead.errors import StateError, StorageError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.release import FIRMWARE

OLD, NEW = b"old image", b"new image, longer"
RADIO = (b"radio", b"firmware")
RELEASE = Installed(7, b"digest")
ACTIVE, CANDIDATE, STAGING = Area.ACTIVE, Area.CANDIDATE, Area.STAGING


@pytest.fixture
def slots(tmp_path):
    made = FileSlots(tmp_path)
    made.install_first(OLD, others={RADIO: b"radio"})
    return made


def content(slots, area, component=FIRMWARE):
    return slots.read(area, component, 0, 1000)


def test_the_factory_s_images_run_and_are_of_no_release(slots):
    assert slots.components() == {FIRMWARE, RADIO}
    assert slots.standing() == Standing(Installed(1))
    assert [content(slots, area) for area in Area] == [OLD, b"", b""]
    assert content(slots, ACTIVE, RADIO) == b"radio"


@pytest.mark.requirement("R-73")
def test_writing_what_does_not_run_does_not_touch_what_runs(slots):
    slots.write(CANDIDATE, FIRMWARE, 0, NEW[:4])
    slots.write(CANDIDATE, FIRMWARE, 4, NEW[4:])
    slots.write(STAGING, FIRMWARE, 0, b"patch")
    assert [content(slots, area) for area in Area] == [OLD, NEW, b"patch"]
    assert slots.size(CANDIDATE, FIRMWARE) == len(NEW)
    with pytest.raises(ValueError, match="not written"):
        slots.write(ACTIVE, FIRMWARE, 0, NEW)
    with pytest.raises(ValueError, match="not written"):
        slots.truncate(ACTIVE, FIRMWARE, 0)


@pytest.mark.requirement("R-73")
def test_a_trial_runs_without_counting_and_the_old_image_cannot_be_written_meanwhile(slots, tmp_path):
    slots.write(CANDIDATE, FIRMWARE, 0, NEW)
    slots.activate([FIRMWARE], RELEASE)
    again = FileSlots(tmp_path)
    assert again.standing() == Standing(Installed(1), RELEASE)
    assert (content(again, ACTIVE), content(again, ACTIVE, RADIO)) == (NEW, b"radio")
    with pytest.raises(StateError, match="on trial"):
        again.write(CANDIDATE, FIRMWARE, 0, b"x")


def test_a_confirmed_release_counts_and_the_old_place_is_the_candidate_s(slots, tmp_path):
    slots.write(CANDIDATE, FIRMWARE, 0, NEW)
    slots.activate([FIRMWARE], RELEASE)
    slots.count_boot()
    slots.confirm()
    again = FileSlots(tmp_path)
    assert again.standing() == Standing(RELEASE)
    assert (content(again, ACTIVE), content(again, CANDIDATE)) == (NEW, OLD)


@pytest.mark.requirement("R-73")
def test_a_reverted_release_is_remembered_until_it_is_told_and_forgiven(slots, tmp_path):
    slots.write(CANDIDATE, FIRMWARE, 0, NEW)
    slots.activate([FIRMWARE], RELEASE)
    slots.count_boot()
    slots.count_boot()
    assert FileSlots(tmp_path).standing().boots == 2
    slots.revert()
    assert FileSlots(tmp_path).standing() == Standing(Installed(1), reverted=b"digest", is_told=False)
    assert content(slots, ACTIVE) == OLD
    slots.told()
    assert slots.standing().is_told
    slots.forgive()
    assert FileSlots(tmp_path).standing() == Standing(Installed(1))


@pytest.mark.parametrize("step", ["count_boot", "confirm", "revert"])
def test_a_step_of_a_trial_needs_one(slots, step):
    with pytest.raises(StateError, match="on trial"):
        getattr(slots, step)()


def test_several_components_change_in_one_step(slots):
    slots.write(CANDIDATE, FIRMWARE, 0, NEW)
    slots.write(CANDIDATE, RADIO, 0, b"radio 2")
    slots.activate([FIRMWARE, RADIO], RELEASE)
    assert (content(slots, ACTIVE), content(slots, ACTIVE, RADIO)) == (NEW, b"radio 2")
    slots.revert()
    assert (content(slots, ACTIVE), content(slots, ACTIVE, RADIO)) == (OLD, b"radio")


def test_each_update_goes_to_the_other_slot(slots):
    for number, image in enumerate((b"first", b"second", b"third"), start=2):
        slots.truncate(CANDIDATE, FIRMWARE, 0)
        slots.write(CANDIDATE, FIRMWARE, 0, image)
        slots.activate([FIRMWARE], Installed(number))
        slots.confirm()
        assert (content(slots, ACTIVE), slots.standing().installed.sequence_number) == (image, number)


def test_how_far_a_download_came_survives_and_is_forgotten(slots, tmp_path):
    download = Download(b"digest", RADIO, STAGING, b"etag", 4)
    slots.write(STAGING, RADIO, 0, NEW)
    slots.keep(download)
    assert FileSlots(tmp_path).download() == download
    slots.keep(None)
    slots.keep(None)
    assert FileSlots(tmp_path).download() is None


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff",
        codec.encode([]),
        codec.encode([b"", [], "active", b"", 1]),
        codec.encode([b"", [], "candidate", b"", -1]),
    ],
)
def test_a_damaged_record_of_a_download_is_none(slots, tmp_path, damage):
    (tmp_path / "download").write_bytes(damage)
    assert slots.download() is None


def test_what_things_had_before_there_were_trials_is_read(tmp_path):
    (tmp_path / "slot-b").write_bytes(NEW)
    (tmp_path / "active-slot").write_bytes(codec.encode(["slot-b", 7, b"digest"]))
    slots = FileSlots(tmp_path)
    assert slots.components() == {FIRMWARE}
    assert slots.standing() == Standing(RELEASE)
    assert content(slots, ACTIVE) == NEW
    slots.write(CANDIDATE, FIRMWARE, 0, b"newer")
    slots.activate([FIRMWARE], Installed(8))
    assert content(FileSlots(tmp_path), ACTIVE) == b"newer"


@pytest.mark.parametrize(
    "pointer",
    [
        b"",
        b"slot-a",
        codec.encode(["slot-c", 1, b""]),
        codec.encode(["slot-a", "1", b""]),
        codec.encode([3, 1, b"", [[[b"firmware"], 0]], None, b"", True]),
        codec.encode([2, 1, b"", [], None, b"", True]),
        codec.encode([2, 1, b"", [[[b"firmware"], 2]], None, b"", True]),
        codec.encode([2, 1, b"", [[["firmware"], 0]], None, b"", True]),
        codec.encode([2, 1, b"", [[[b"firmware"], 0]], [7], b"", True]),
        codec.encode([2, 1, b"", [[[b"firmware"], 0]], [7, b"", 0, []], b"", True]),
    ],
)
def test_a_damaged_pointer_is_named(slots, tmp_path, pointer):
    (tmp_path / "active-slot").write_bytes(pointer)
    with pytest.raises(StorageError, match="active-slot is damaged"):
        slots.standing()


def test_a_thing_without_firmware_says_so(tmp_path):
    with pytest.raises(StorageError, match="no firmware"):
        FileSlots(tmp_path).standing()


def test_a_component_that_is_not_there_is_named(slots):
    with pytest.raises(StateError, match="no component"):
        slots.read(ACTIVE, (b"motor",), 0, 1)


def test_an_active_slot_without_an_image_is_named(slots, tmp_path):
    (tmp_path / "slot-a").unlink()
    with pytest.raises(StorageError, match="slot-a is empty"):
        slots.read(ACTIVE, FIRMWARE, 0, 1)


def test_a_place_that_cannot_be_used_is_named(slots, tmp_path):
    (tmp_path / "slot-b").mkdir()
    with pytest.raises(StorageError, match="cannot write"):
        slots.write(CANDIDATE, FIRMWARE, 0, NEW)
    with pytest.raises(StorageError, match="cannot read"):
        slots.read(CANDIDATE, FIRMWARE, 0, 1)
