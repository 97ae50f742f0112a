"""What every plane must do. A plane joins by a row: how to build it with its relying party, over which store.

The fakes of the controller's tests are rows too, so that what the conductor is tested with behaves as planes do.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.unit.controller.planes import FakePlane, JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.access.test_authorization_server import Live, SlowRecords, proposal, server
from tests.unit.planes.groups.parties import EagerGroups
from tests.unit.planes.identity.authority import HOLDER, authority
from tests.unit.planes.network.fakes import CLOUD, World
from tests.unit.planes.software.desk import Desk
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.plane import Demand, Plane, PlaneName, Receipt, Standing
from thingstead.domain.thing import Thing
from thingstead.planes.access.authorization_server import AuthorizationServer
from thingstead.planes.data.collector import Collector
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords


@dataclass(frozen=True, slots=True)
class Row:
    """One plane: a name for the test's id, and how to build a fresh one with a relying party that answers."""

    name: str
    build: Callable[[], Plane]


def _fake(name: PlaneName) -> Row:
    return Row(f"fake {name}", lambda: FakePlane(name, JumpingClock()))


def _identity() -> Plane:
    plane = authority()
    for number in range(2):
        plane.prove(a_thing(number).id, HOLDER)
    return plane


def _access() -> Plane:
    plane: AuthorizationServer = server(SlowRecords(), Live())
    for number in range(2):
        plane.propose(a_thing(number).id, proposal(number))
    return plane


def _data() -> Plane:
    store = MemoryStore()
    return Collector(PlaneRecords(PlaneName.DATA, store), purposes=(), clock=JumpingClock())


ROWS: tuple[Row, ...] = (
    *[_fake(name) for name in PlaneName],
    Row("identity", _identity),
    Row("access", _access),
    Row("data", _data),
    Row("groups", EagerGroups),
    Row("network", lambda: World(CLOUD).manager),
    Row("software", lambda: Desk().tracker),
)

_OPERATIONAL = a_thing()
_QUARANTINED = _OPERATIONAL.evolve(restriction=Restriction.QUARANTINED)
_RETIRED = _OPERATIONAL.evolve(state=LifecycleState.DECOMMISSIONED)
_REFUSES = {Standing.REFUSED, Standing.ABSENT}


@pytest.fixture(params=ROWS, ids=lambda row: row.name)
def plane(request):
    return request.param.build()


async def _ask(plane: Plane, demand: Demand, thing: Thing) -> Receipt:
    call = {Demand.ADMIT: plane.admit, Demand.RESTRICT: plane.restrict, Demand.WITHDRAW: plane.withdraw}[demand]
    return await call(thing, cause="tested", transition_id=thing.transition_id)


async def _standing(plane: Plane, thing: Thing) -> Standing:
    probe = await plane.probe(thing)
    assert (probe.plane, probe.thing) == (plane.name, thing.id)
    assert probe.relying_party
    return probe.standing


def test_the_fakes_cover_every_plane():
    assert {row.build().name for row in ROWS} == set(PlaneName)


@pytest.mark.parametrize(
    ("demand", "thing"),
    [(Demand.ADMIT, _OPERATIONAL), (Demand.RESTRICT, _QUARANTINED), (Demand.WITHDRAW, _RETIRED)],
)
def test_a_receipt_answers_the_demand_and_a_demand_may_come_twice(plane, demand, thing):
    async def run():
        first = await _ask(plane, demand, thing)
        standing = await _standing(plane, thing)
        again = await _ask(plane, demand, thing)
        assert await _standing(plane, thing) is standing
        for receipt in (first, again):
            answered = (receipt.plane, receipt.thing, receipt.demand, receipt.transition_id)
            assert answered == (plane.name, thing.id, demand, thing.transition_id)

    asyncio.run(run())


def test_who_was_never_admitted_is_refused(plane):
    assert asyncio.run(_standing(plane, _OPERATIONAL)) in _REFUSES


def test_who_is_admitted_is_accepted(plane):
    async def run():
        await _ask(plane, Demand.ADMIT, _OPERATIONAL)
        return await _standing(plane, _OPERATIONAL)

    assert asyncio.run(run()) is Standing.ACCEPTED


@pytest.mark.requirement("R-09")
def test_who_is_quarantined_is_refused_and_after_release_accepted(plane):
    async def run():
        await _ask(plane, Demand.ADMIT, _OPERATIONAL)
        await _ask(plane, Demand.RESTRICT, _QUARANTINED)
        during = await _standing(plane, _QUARANTINED)
        await _ask(plane, Demand.ADMIT, _QUARANTINED.evolve(restriction=Restriction.NONE))
        return during, await _standing(plane, _OPERATIONAL)

    during, after = asyncio.run(run())
    assert during in _REFUSES
    assert after is Standing.ACCEPTED


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("before", [(), (Demand.ADMIT,), (Demand.ADMIT, Demand.RESTRICT)])
def test_who_is_withdrawn_is_refused_whatever_was_before(plane, before):
    async def run():
        for demand in before:
            await _ask(plane, demand, _QUARANTINED if demand is Demand.RESTRICT else _OPERATIONAL)
        await _ask(plane, Demand.WITHDRAW, _RETIRED)
        return await _standing(plane, _RETIRED)

    assert asyncio.run(run()) in _REFUSES


@pytest.mark.requirement("R-09")
def test_a_backup_from_before_does_not_bring_the_withdrawn_back(plane):
    async def run():
        await _ask(plane, Demand.ADMIT, _OPERATIONAL)
        backup = plane.snapshot()
        await _ask(plane, Demand.WITHDRAW, _RETIRED)
        await plane.restore(backup)
        return await _standing(plane, _RETIRED)

    assert asyncio.run(run()) in _REFUSES


def test_one_thing_s_withdrawal_is_not_another_s(plane):
    other = a_thing(1)

    async def run():
        await _ask(plane, Demand.ADMIT, _OPERATIONAL)
        await _ask(plane, Demand.ADMIT, other)
        await _ask(plane, Demand.WITHDRAW, _RETIRED)
        return await _standing(plane, other)

    assert asyncio.run(run()) is Standing.ACCEPTED


def test_what_it_says_of_itself_is_its_own_and_never_without_a_remaining_risk(plane):
    asyncio.run(_ask(plane, Demand.ADMIT, _OPERATIONAL))
    assert all(expiry.plane is plane.name for expiry in plane.expiries())
    for question in ("T1", "T5", "R-09", "C5.3.1", "no such question"):
        for finding in plane.findings(question):
            assert (finding.plane, finding.question) == (plane.name, question)
            assert finding.remaining_risk
