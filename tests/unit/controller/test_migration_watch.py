"""Who is left with keys that prove nothing is isolated on the day after, and nobody before."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.planes.software.test_migration import FIRST, INTRODUCED, LAMP, OTHER, Domain
from thingstead.controller.migration_watch import MigrationWatch
from thingstead.domain.lifecycle import Restriction
from thingstead.errors import StorageError, TransitionError
from thingstead.protocols.profile import update_poll

pytestmark = pytest.mark.requirement("R-76")

DAY = timedelta(days=1).total_seconds()


class House(Domain):
    """A domain whose conductor writes down whom it holds."""

    def __init__(self):
        super().__init__()
        self.isolated, self.error = [], None
        for thing in (LAMP, OTHER):
            self.poll(thing, update_poll.place(FIRST.update_keys))
        register: Any = SimpleNamespace(thing=lambda thing: next(one for one in self.things if one.id == thing))
        conductor: Any = self
        self.watch = MigrationWatch(self.migrations, register, conductor=conductor, clock=self.clock)

    async def restrict(self, thing, restriction, *, actor, cause, evidence):
        if self.error is not None:
            raise self.error
        assert (actor, cause, restriction) == ("migration", "old-update-keys", Restriction.HELD)
        self.isolated.append((thing, evidence["last_safe_day"]))
        self.things = [replace(one, restriction=restriction) if one.id == thing else one for one in self.things]

    def look(self):
        asyncio.run(self.watch.look())
        return self.isolated


@pytest.fixture
def house():
    made = House()
    made.start(until=(made.clock.utc() + timedelta(days=10)).date())
    made.walk(LAMP, INTRODUCED)
    return made


def test_on_the_last_safe_day_nobody_is_isolated_and_on_the_next_who_has_not_walked(house):
    last = (house.clock.utc() + timedelta(days=10)).date()
    house.clock.seconds += 10 * DAY
    assert house.look() == []
    house.clock.seconds += DAY
    assert house.look() == [(OTHER.id, last.isoformat())]


def test_who_is_isolated_is_not_isolated_again(house):
    house.clock.seconds += 12 * DAY
    house.look()
    house.clock.seconds += DAY
    assert len(house.look()) == 1


def test_who_was_let_out_has_an_hour_and_is_left_in_peace_when_it_walked(house):
    house.clock.seconds += 12 * DAY
    house.look()
    house.things = [LAMP, OTHER]
    house.clock.seconds += 3599
    assert len(house.look()) == 1
    house.walk(OTHER, INTRODUCED)
    house.clock.seconds += 3600
    assert len(house.look()) == 1


@pytest.mark.parametrize("error", [TransitionError("it left")])
def test_who_left_is_passed_over(house, error):
    house.error = error
    house.clock.seconds += 12 * DAY
    assert house.look() == []


def test_a_full_disk_is_tried_again_at_the_next_look(house):
    house.error = StorageError("disk full")
    house.clock.seconds += 12 * DAY
    with pytest.raises(StorageError):
        house.look()
    house.error = None
    assert [thing for thing, _ in house.look()] == [OTHER.id]


def test_without_a_last_day_nobody_is_ever_isolated():
    house = House()
    assert house.look() == []
    house.clock.seconds += 9000 * DAY
    assert house.look() == []
    assert house.clock.utc().date() > date(2050, 1, 1)


def test_what_things_said_is_written_at_every_look(house):
    house.look()
    assert house.records.load()
