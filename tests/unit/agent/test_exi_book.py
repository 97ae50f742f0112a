"""A token counts for its seconds from when it first came, once, and after a restart not at all."""

import pytest

from thingstead.agent.exi_book import EXI, ExiBook
from thingstead.errors import ExpiredError
from thingstead.simulator.virtual.memory import Fate, HomeLife
from thingstead.simulator.virtual.network import Killed

pytestmark = [pytest.mark.requirement("R-35"), pytest.mark.spec("RFC 9200 5.10.3")]


class Thing:
    def __init__(self, disk=None):
        self.disk = {} if disk is None else disk
        self.now = 1000.0
        self.fate = Fate()
        self.book = ExiBook(HomeLife(self.disk, self.fate), now=lambda: self.now)


@pytest.fixture
def thing():
    return Thing()


def test_the_seconds_run_from_when_it_first_came(thing):
    assert thing.book.admit(5, 60) == 60
    thing.now += 20
    assert thing.book.admit(5, 60) == 40


def test_what_has_ended_does_not_come_again(thing):
    thing.book.admit(5, 60)
    thing.now += 60
    for number in (5, 4, 1):
        with pytest.raises(ExpiredError):
            thing.book.admit(number, 60)
    assert thing.book.admit(6, 60) == 60


def test_one_that_was_issued_before_counts_while_none_has_ended(thing):
    thing.book.admit(5, 60)
    assert thing.book.admit(3, 60) == 60


def test_a_restart_ends_all_that_were_taken(thing):
    thing.book.admit(5, 60)
    thing.book.admit(9, 60)
    again = Thing(thing.disk)
    for number in (9, 8, 5, 1):
        with pytest.raises(ExpiredError):
            again.book.admit(number, 60)
    assert again.book.admit(10, 60) == 60


@pytest.mark.parametrize("instant", range(3, 8))
def test_a_death_at_any_write_brings_nothing_back_to_life(instant):
    thing = Thing()
    thing.book.admit(5, 60)
    thing.fate.fatal = instant
    taken = [5]
    try:
        for number in (7, 8):
            thing.book.admit(number, 60)
            taken.append(number)
    except Killed:
        pass
    again = Thing(thing.disk)
    for number in taken:
        with pytest.raises(ExpiredError):
            again.book.admit(number, 60)


def test_it_is_written_down_before_it_counts(thing):
    thing.book.admit(5, 60)
    assert thing.disk[EXI] == (5).to_bytes(8, "big")
    thing.book.admit(4, 60)
    assert thing.disk[EXI] == (5).to_bytes(8, "big")


def test_what_is_remembered_is_bounded_and_the_oldest_end_first(thing):
    for number in range(1, 101):
        thing.book.admit(number, 60)
    assert len(thing.book._live) == 64
    with pytest.raises(ExpiredError):
        thing.book.admit(36, 60)
    assert thing.book.admit(37, 60) == 60


@pytest.mark.parametrize("kept", [b"", b"\x01", bytes(9)])
def test_where_the_number_is_damaged_nothing_is_taken(kept):
    again = Thing({EXI: kept})
    with pytest.raises(ExpiredError):
        again.book.admit(1 << 63, 60)


def test_another_domain_counts_for_itself(thing):
    thing.book.admit(5, 60)
    thing.book.leave()
    assert thing.book.admit(1, 60) == 60
