"""Alarms of the last day are counted whether they came before the start or after it."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.alarm_tally import AlarmTally
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.unit import Unit
from thingstead.errors import StorageError
from thingstead.storage.memory import MemoryStore

pytestmark = pytest.mark.requirement("R-38")
LAMP = a_thing(1).id
HOUR = timedelta(hours=1)


def alarm(at=AT, cause="flood", kind=Kind.ALARM):
    return Draft(at, kind, f"detector:{cause}", LAMP, cause, {"explanation": f"why {cause}", "severity": "alarm"})


class Disk(MemoryStore):
    fails = False

    def leaves(self, start=0, stop=None):
        if self.fails:
            raise StorageError("unreadable")
        return super().leaves(start, stop)


class Home:
    def __init__(self, *before):
        self.clock, self.store, self.held = JumpingClock(), Disk(), 0
        self.add(*before)
        self.tally = AlarmTally(self.store, len(list(self.store.leaves())), cut_off=lambda: self.held, clock=self.clock)

    def add(self, *drafts):
        asyncio.run(self.store.commit(Unit(entries=drafts)))

    def told(self):
        return asyncio.run(self.tally.told())


def test_where_nothing_happened_nothing_is_told_and_nobody_is_sent_anywhere():
    assert Home().told() == {"last_day": 0, "newest": None, "cut_off": 0, "next": ""}


def test_what_came_before_the_start_counts_with_what_came_after_it():
    home = Home(alarm(), alarm(kind=Kind.NEGLECT))
    home.add(alarm(cause="beaconing"), alarm(kind=Kind.REFUSAL))
    assert home.told()["last_day"] == 2
    assert home.told()["newest"] == {
        "at": AT,
        "thing": LAMP,
        "cause": "beaconing",
        "actor": "detector:beaconing",
        "explanation": "why beaconing",
    }


def test_an_older_alarm_is_left_out_however_many_came_after_it():
    home = Home(alarm(AT - 25 * HOUR, "old"), *[alarm(kind=Kind.REFUSAL)] * 600, alarm(AT - HOUR, "mail"))
    assert home.told()["last_day"] == 1
    home.clock.seconds += 24 * 3600
    assert home.told() == {"last_day": 0, "newest": None, "cut_off": 0, "next": ""}


def test_a_ledger_that_cannot_be_read_is_no_day_without_alarms():
    home = Home(alarm())
    home.store.fails = True
    with pytest.raises(StorageError):
        home.told()
    home.store.fails = False
    assert home.told()["last_day"] == 1


def test_two_who_ask_at_once_count_each_alarm_once():
    home = Home(*[alarm()] * 700)

    async def both():
        return await asyncio.gather(home.tally.told(), home.tally.told())

    first, second = asyncio.run(both())
    assert first == second
    assert first["last_day"] == 700


def test_years_of_alarms_take_no_more_room_than_a_day_of_them():
    home = Home()
    for day in range(3):
        home.clock.seconds = day * 86_400.0
        home.add(*[alarm(home.clock.utc() + timedelta(minutes=one)) for one in range(-1000, 1)])
    assert len(home.tally._minutes) <= 1500


@pytest.mark.parametrize(
    ("alarms", "held", "then"),
    [
        ([alarm()], 0, "thingstead ledger show --kind alarm"),
        ([alarm()], 2, "thingstead response list"),
        ([], 1, "thingstead response list"),
    ],
)
def test_who_is_cut_off_comes_before_what_was_only_told(alarms, held, then):
    home = Home(*alarms)
    home.held = held
    assert (home.told()["cut_off"], home.told()["next"]) == (held, then)
