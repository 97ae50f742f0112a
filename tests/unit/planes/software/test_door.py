"""The door fits whoever carries updates; what a thing tells in another language is a report like any other."""

import asyncio

import pytest

from tests.unit.planes.software.desk import LAMP, OTHER_LAMP, Desk
from thingstead.domain.ledger.entry import Kind
from thingstead.errors import ForbiddenError
from thingstead.planes.software.door import Door, outcome_report


def given():
    desk = Desk().admit()
    desk.publish()
    door: Door = desk.tracker
    offer = door.poll(LAMP.id)
    assert offer is not None
    return desk, door, offer


@pytest.mark.parametrize("is_installed", [True, False])
def test_an_outcome_is_taken_as_the_report_of_a_thing_would_be(is_installed):
    desk, door, offer = given()
    asyncio.run(door.keep(LAMP.id))
    asyncio.run(door.report(LAMP.id, outcome_report(offer, is_installed=is_installed)))
    (entry,) = desk.entries(Kind.INSTALLATION)
    assert entry.cause == ("installed" if is_installed else "refused")
    assert (desk.tracker.runs(LAMP.id).version == "1.1.0") is is_installed


def test_who_is_not_admitted_tells_nothing():
    desk, door, offer = given()
    asyncio.run(desk.tracker.restrict(OTHER_LAMP, cause="a test", transition_id=OTHER_LAMP.transition_id))
    with pytest.raises(ForbiddenError):
        asyncio.run(door.report(OTHER_LAMP.id, outcome_report(offer, is_installed=True)))
    assert not door.accepts(OTHER_LAMP.id)


def test_nothing_is_cancelled_that_was_not_given():
    _, door, _ = given()
    assert door.cancelled(LAMP.id) is None
    assert door.cancelled(OTHER_LAMP.id) is None
