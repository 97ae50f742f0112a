import pytest

from thingstead.agent.file_slots import FileSlots
from thingstead.agent.ports import Installed
from thingstead.errors import StorageError
from thingstead.protocols.cbor import codec

OLD, NEW = b"old image", b"new image, longer"
RELEASE = Installed(7, b"digest")


@pytest.fixture
def slots(tmp_path):
    made = FileSlots(tmp_path)
    made.install_first(OLD)
    return made


def test_the_factory_s_image_runs_and_is_of_no_release(slots):
    assert (slots.active(), slots.installed(), slots.candidate()) == (OLD, Installed(1), b"")


@pytest.mark.requirement("R-73")
def test_writing_the_other_slot_does_not_touch_what_runs(slots):
    slots.clear_candidate()
    slots.write(0, NEW[:4])
    slots.write(4, NEW[4:])
    assert slots.candidate() == NEW
    assert (slots.active(), slots.installed()) == (OLD, Installed(1))


def test_activation_changes_image_and_release_and_survives_a_start(slots, tmp_path):
    slots.write(0, NEW)
    slots.activate(RELEASE)
    assert (slots.active(), slots.installed(), slots.candidate()) == (NEW, RELEASE, OLD)
    again = FileSlots(tmp_path)
    assert (again.active(), again.installed()) == (NEW, RELEASE)


def test_each_activation_goes_to_the_other_slot(slots):
    for number, image in enumerate((b"first", b"second", b"third"), start=2):
        slots.clear_candidate()
        slots.write(0, image)
        slots.activate(Installed(number))
        assert (slots.active(), slots.installed().sequence_number) == (image, number)


def test_a_shorter_candidate_leaves_nothing_of_a_longer_one(slots):
    slots.write(0, NEW)
    slots.clear_candidate()
    slots.write(0, b"new")
    assert slots.candidate() == b"new"


@pytest.mark.parametrize(
    "pointer", [b"", b"slot-a", codec.encode(["slot-c", 1, b""]), codec.encode(["slot-a", "1", b""])]
)
def test_a_damaged_pointer_is_named(slots, tmp_path, pointer):
    (tmp_path / "active-slot").write_bytes(pointer)
    with pytest.raises(StorageError, match="active-slot is damaged"):
        slots.active()


def test_a_thing_without_firmware_says_so(tmp_path):
    with pytest.raises(StorageError, match="no firmware"):
        FileSlots(tmp_path).installed()


def test_an_active_slot_without_an_image_is_named(slots, tmp_path):
    (tmp_path / "slot-a").unlink()
    with pytest.raises(StorageError, match="slot-a is empty"):
        slots.active()


def test_a_slot_that_cannot_be_written_is_named(slots, tmp_path):
    (tmp_path / "slot-b").mkdir()
    with pytest.raises(StorageError, match="cannot write"):
        slots.write(0, NEW)
