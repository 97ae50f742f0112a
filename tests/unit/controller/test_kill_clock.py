"""A kill clock asks relying parties until they refuse; who does not answer has not refused."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.planes import House, down
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.kill_clock import KillClock, Limits
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import Demand, PlaneName, Probe, Standing
from thingstead.domain.unit import Unit
from thingstead.storage.memory import MemoryStore

THING = a_thing()
NETWORK = PlaneName.NETWORK


def _house(limits=None):
    store = MemoryStore()
    asyncio.run(store.commit(Unit(things=(THING,))))
    house = House(store)
    house.kill_clock = KillClock(
        house.planes.values(), house.register, store=store, clock=house.clock, limits=limits, wait=house.clock.wait
    )
    return house


def _probe_of(house, plane, refuse_after, *, last_acceptance=None):
    def probe(thing):
        standing = Standing.REFUSED if house.clock.seconds >= refuse_after else Standing.ACCEPTED
        return Probe(plane, thing.id, standing, f"peer of {plane}", house.clock.utc(), "seen", last_acceptance)

    house.planes[plane].probes = probe


@pytest.mark.requirement("R-09")
def test_the_kill_clock_stops_at_the_last_acceptance_or_where_that_is_unknown_at_the_first_refusal():
    house = _house(Limits(probe_interval=0.25))
    _probe_of(house, NETWORK, 0.5)
    _probe_of(house, PlaneName.ACCESS, 0.25, last_acceptance=AT + timedelta(milliseconds=7))
    _probe_of(house, PlaneName.DATA, 0, last_acceptance=AT - timedelta(days=1))
    watched = (NETWORK, PlaneName.ACCESS, PlaneName.DATA)
    times = asyncio.run(house.kill_clock.time(THING.id, since=AT, deadline=9, until_refused=watched))
    assert {plane: time.milliseconds for plane, time in times.items()} == {
        NETWORK: 500.0,
        PlaneName.ACCESS: 7.0,
        PlaneName.DATA: 0.0,
    }
    assert times[NETWORK].relying_party == "peer of network"
    assert house.entries(Kind.KILL_CLOCK)[0].details == {"network": 500000, "access": 7000, "data": 0}


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize(("answers_after", "asked_for", "bounded"), [(0, 0, False), (0.5, 0.5, False), (99, 1, True)])
def test_who_is_silent_is_asked_again_for_a_while_and_then_bounded(answers_after, asked_for, bounded):
    house = _house(Limits(probe_interval=0.25, patience=1.0))
    end = AT + timedelta(hours=2)

    def probe(thing):
        bound = end if house.clock.seconds < answers_after else None
        at = house.clock.utc()
        return Probe(PlaneName.ACCESS, thing.id, Standing.REFUSED, "peers", at, "", AT, bound=bound)

    house.planes[PlaneName.ACCESS].probes = probe
    times = asyncio.run(house.kill_clock.time(THING.id, since=AT, deadline=9, until_refused=(PlaneName.ACCESS,)))
    found = times[PlaneName.ACCESS]
    assert (found.milliseconds, found.bound) == (0.0, end if bounded else None)
    assert house.clock.seconds == asked_for


@pytest.mark.requirement("R-09")
def test_a_plane_that_never_refuses_has_no_kill_time():
    house = _house(Limits(probe_interval=0.25))
    house.planes[NETWORK].standing[THING.id] = Standing.RESTRICTED
    _probe_of(house, PlaneName.DATA, 100)
    times = asyncio.run(house.kill_clock.time(THING.id, since=AT, deadline=2, until_refused=(NETWORK, PlaneName.DATA)))
    assert [times[plane].milliseconds for plane in (NETWORK, PlaneName.DATA)] == [None, None]


def test_what_nobody_enforces_has_no_kill_time_not_even_in_the_ledger_and_is_not_waited_for():
    house = _house()

    def dry(thing):
        refused = Standing.REFUSED
        return Probe(NETWORK, thing.id, refused, "nobody", house.clock.utc(), "barred", enforced=False)

    house.planes[NETWORK].probes = dry
    times = asyncio.run(house.kill_clock.time(THING.id, since=AT, deadline=9, until_refused=(NETWORK,)))
    assert (times[NETWORK].milliseconds, times[NETWORK].enforced) == (None, False)
    assert house.clock.seconds == 0
    assert house.entries(Kind.KILL_CLOCK)[0].details == {}


def test_a_relying_party_that_cannot_be_asked_has_not_refused():
    house = _house(Limits(probe_interval=0.25))

    def silent(_thing):
        raise down(Demand.WITHDRAW)

    house.planes[NETWORK].probes = silent
    times = asyncio.run(house.kill_clock.time(THING.id, since=AT, deadline=1, until_refused=(NETWORK,)))
    assert times[NETWORK].milliseconds is None
    assert "is down" in times[NETWORK].detail


def test_a_probe_asks_every_relying_party_and_leaves_out_those_that_cannot_say():
    house = _house()

    def silent(_thing):
        raise down(Demand.WITHDRAW)

    house.planes[NETWORK].probes = silent
    probes = asyncio.run(house.kill_clock.probe(THING.id))
    assert {probe.plane for probe in probes} == set(PlaneName) - {NETWORK}
    assert {probe.standing for probe in probes} == {Standing.ABSENT}
