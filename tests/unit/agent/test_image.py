import pytest

from thingstead.agent import image
from thingstead.agent.image import Place
from thingstead.agent.ports import Area
from thingstead.errors import DecodeError
from thingstead.protocols.profile import firmware
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.profile.release import FIRMWARE, STAGING
from thingstead.protocols.suit.digest import digest_of
from thingstead.simulator.virtual.memory import MemorySlots

RUNS = firmware.encode(Firmware("1.0.0"), bytes(range(256)) * 100)
ACTIVE, CANDIDATE = Place(Area.ACTIVE, FIRMWARE), Place(Area.CANDIDATE, FIRMWARE)


@pytest.fixture
def slots():
    return MemorySlots(RUNS)


@pytest.mark.parametrize("algorithm_id", [-16, -43, -44, -45])
def test_a_measurement_is_the_digest_of_the_whole(slots, algorithm_id):
    assert image.measure(slots, ACTIVE, algorithm_id) == digest_of(RUNS, algorithm_id)


def test_a_copy_is_the_whole_and_nothing_of_what_was_there(slots):
    image.store(slots, CANDIDATE, iter([bytes(len(RUNS) + 1)]))
    image.copy(slots, ACTIVE, CANDIDATE)
    assert image.consists_of(slots, CANDIDATE, RUNS)


@pytest.mark.parametrize("pieces", [[], [b""], [b"a"], [bytes(4096)], [bytes(4095), b"ab", bytes(9000)]])
def test_pieces_of_any_size_are_stored_in_order(slots, pieces):
    image.store(slots, CANDIDATE, iter(pieces))
    assert b"".join(image.pieces(slots, CANDIDATE)) == b"".join(pieces)


def test_pieces_can_be_read_from_anywhere(slots):
    assert b"".join(image.pieces(slots, ACTIVE, start=20_000)) == RUNS[20_000:]


@pytest.mark.parametrize("other", [RUNS[:-1], RUNS + b"x", RUNS[:-1] + b"x", b""])
def test_other_content_is_told_apart(slots, other):
    assert not image.consists_of(slots, ACTIVE, other)


def test_ciphertext_waits_where_nothing_runs():
    assert image.candidate_of(STAGING) == (Area.STAGING, FIRMWARE)
    assert image.candidate_of(FIRMWARE) == CANDIDATE


def test_a_candidate_that_would_not_start_is_refused_and_one_that_runs_is_obeyed_as_far_as_it_goes(slots):
    assert image.header(slots, Area.ACTIVE) == image.obeyed(slots) == Firmware("1.0.0")
    with pytest.raises(DecodeError):
        image.header(slots, Area.CANDIDATE)
    assert image.obeyed(MemorySlots(b"\x7fELF")) == Firmware("unknown")
