import pytest

from thingstead.agent import slot_pointer
from thingstead.agent.ports import Installed, Standing
from thingstead.agent.slot_pointer import Pointer
from thingstead.errors import DecodeError, StateError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.release import FIRMWARE

RADIO = (b"radio",)
FIRST = Pointer(Standing(Installed(1)), {FIRMWARE: 0, RADIO: 1}, {})
RELEASE = Installed(7, b"digest")
ON_TRIAL = FIRST.activated([FIRMWARE], RELEASE)


@pytest.mark.requirement("R-73")
def test_only_what_the_release_brings_moves_and_moves_back():
    assert [ON_TRIAL.active(one) for one in (FIRMWARE, RADIO)] == [1, 1]
    assert [ON_TRIAL.reverted().active(one) for one in (FIRMWARE, RADIO)] == [0, 1]
    assert [ON_TRIAL.confirmed().active(one) for one in (FIRMWARE, RADIO)] == [1, 1]


@pytest.mark.requirement("R-29")
def test_the_number_counts_when_the_release_is_confirmed_and_no_earlier():
    assert ON_TRIAL.booted().standing == Standing(Installed(1), RELEASE, 1)
    assert ON_TRIAL.confirmed().standing == Standing(RELEASE)
    assert ON_TRIAL.reverted().standing == Standing(Installed(1), reverted=b"digest", is_told=False)


def test_a_confirmed_release_forgets_what_was_reverted_before():
    again = ON_TRIAL.reverted().activated([FIRMWARE], Installed(8, b"next"))
    assert again.standing.reverted == b"digest"
    assert again.confirmed().standing == Standing(Installed(8, b"next"))


@pytest.mark.parametrize(
    "pointer",
    [FIRST, ON_TRIAL, ON_TRIAL.booted(), ON_TRIAL.confirmed(), ON_TRIAL.reverted(), ON_TRIAL.reverted().told()],
)
def test_every_step_is_read_back(pointer):
    assert slot_pointer.decode(pointer.encode()) == pointer


@pytest.mark.parametrize("step", ["booted", "confirmed", "reverted"])
def test_without_a_trial_there_is_no_step_of_one(step):
    with pytest.raises(StateError, match="expected a release on trial"):
        getattr(FIRST, step)()


def test_what_to_go_back_to_is_no_candidate():
    with pytest.raises(StateError, match="on trial"):
        ON_TRIAL.activated([RADIO], Installed(8))


@pytest.mark.parametrize("asks", [FIRST.active, FIRST.candidate])
def test_a_component_that_is_not_there_is_refused(asks):
    with pytest.raises(StateError, match="no component"):
        asks((b"motor",))


@pytest.mark.parametrize("length", range(len(ON_TRIAL.encode())))
def test_a_record_that_is_cut_short_is_refused(length):
    with pytest.raises(DecodeError):
        slot_pointer.decode(ON_TRIAL.encode()[:length])


def test_a_record_of_a_later_format_is_refused():
    rows = codec.decode(FIRST.encode())
    with pytest.raises(DecodeError, match="format"):
        slot_pointer.decode(codec.encode([3, *rows[1:]]))
