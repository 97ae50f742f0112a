"""What is done about an identity that lives twice."""

import asyncio
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.clone_watch import CloneWatch
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.unit import Unit
from thingstead.errors import StorageError, TransitionError
from thingstead.storage.memory import MemoryStore

LAMP = a_thing(1)
HERE, THERE = ("192.0.2.1", 5683), ("192.0.2.2", 5683)
JOINED = Unit(entries=(Draft(AT, Kind.TRANSITION, "registrar", LAMP.id, "joined"),))
RETIRED = Unit(entries=(Draft(AT, Kind.TRANSITION, "owner", LAMP.id, "retired"),))


class Conductor:
    """Quarantines, or fails with the errors that it was given first."""

    def __init__(self, *errors):
        self.errors, self.asked = list(errors), []

    async def restrict(self, thing, restriction, *, actor, cause, evidence):
        if self.errors:
            raise self.errors.pop(0)
        self.asked.append((thing, restriction, actor, cause, evidence["places"]))


def live(places, *errors, unit=JOINED, receives=(HERE, THERE)):
    async def story():
        store, conductor = MemoryStore(), Conductor(*errors)
        stand_in: Any = conductor
        watch = CloneWatch(
            stand_in, store=store, receives_at=lambda _thing, place: place in receives, clock=JumpingClock()
        )
        task = asyncio.get_running_loop().create_task(watch.run())
        for place in places:
            await store.commit(unit)
            watch.heard(LAMP.id, place)
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        alarms = [one for one in map(entry.decode, store.leaves()) if one.kind is Kind.ALARM]
        return conductor, alarms, watch

    return asyncio.run(story())


@pytest.mark.requirement("R-21")
def test_an_identity_that_lives_twice_is_cut_off_with_an_alarm_that_says_where():
    conductor, (alarm,), watch = live([HERE, THERE, HERE, THERE])
    places = "('192.0.2.1', 5683), ('192.0.2.2', 5683)"
    assert conductor.asked == [(LAMP.id, Restriction.QUARANTINED, "clone-watch", "clone", places)]
    assert (alarm.thing, alarm.cause, alarm.details["how"]) == (LAMP.id, "clone", "joins")
    assert watch.found == 1


@pytest.mark.requirement("R-21")
@pytest.mark.parametrize("places", [[HERE] * 8, [HERE, THERE], [HERE, THERE, HERE]], ids=["restarts", "moves", "back"])
def test_one_thing_is_left_alone(places):
    conductor, alarms, _ = live(places)
    assert (conductor.asked, alarms) == ([], [])


@pytest.mark.requirement("R-21")
def test_messages_that_somebody_carries_elsewhere_make_no_two_of_one_thing():
    conductor, alarms, _ = live([HERE, THERE] * 10, receives=[HERE])
    assert (conductor.asked, alarms) == ([], [])


def test_only_joins_are_joins():
    conductor, _, _ = live([HERE, THERE, HERE, THERE], unit=RETIRED)
    assert conductor.asked == []


def test_who_was_cut_off_already_stays_so():
    conductor, alarms, _ = live([HERE, THERE, HERE, THERE], TransitionError("it is quarantined"))
    assert (conductor.asked, len(alarms)) == ([], 1)


def test_what_could_not_be_kept_is_tried_again(monkeypatch):
    monkeypatch.setattr("thingstead.controller.clone_watch._RETRY", 0)
    conductor, _, _ = live([HERE, THERE, HERE, THERE], StorageError("no space"))
    assert len(conductor.asked) == 1
