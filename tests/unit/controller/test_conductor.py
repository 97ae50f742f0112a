import asyncio

import pytest

from tests.unit.controller.planes import FakePlane, House, down, until
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.conductor import Conductor, Limits
from thingstead.domain.ledger.entry import Draft, Entry, Kind
from thingstead.domain.lifecycle import Cause, LifecycleState, Restriction
from thingstead.domain.plane import Demand, PlaneName, Receipt, Standing
from thingstead.domain.unit import Unit
from thingstead.errors import ConfigError, StorageError, TransitionError
from thingstead.storage.memory import MemoryStore

_S = LifecycleState
_ID = a_thing().id
_NETWORK = PlaneName.NETWORK


def _house(state=_S.OPERATIONAL, restriction=Restriction.NONE, limits=None) -> House:
    store = MemoryStore()
    asyncio.run(store.commit(Unit(things=(a_thing(state=state, restriction=restriction),))))
    return House(store, limits)


def _retire(house):
    return house.conductor.transition(_ID, Cause.RETIRED, actor="operator:anna", evidence={"ticket": "T-1"})


class _Mortal(MemoryStore):
    """Dies after some commits: everything later fails, and what was kept stays for the next life."""

    commits_left = 1000

    async def commit(self, unit: Unit) -> tuple[Entry, ...]:
        if self.commits_left == 0:
            raise StorageError("the process was killed here")
        self.commits_left -= 1
        return await super().commit(unit)


@pytest.mark.requirement("R-02")
def test_a_transition_is_recorded_with_actor_time_cause_and_evidence():
    house = _house()
    report = asyncio.run(_retire(house))
    (recorded,) = house.entries(Kind.TRANSITION)
    assert (recorded.actor, recorded.at, recorded.thing, recorded.cause) == ("operator:anna", AT, _ID, "retired")
    assert recorded.details == {"ticket": "T-1", "version": 2, "from": "operational", "to": "decommissioned"}
    assert (report.transition_id, report.thing.state, report.at) == (f"{_ID}/2", _S.DECOMMISSIONED, AT)


@pytest.mark.requirement("R-09")
def test_a_retirement_is_asked_of_all_six_planes_and_settled_by_their_receipts():
    house = _house()
    report = asyncio.run(_retire(house))
    assert all(plane.calls == [(_ID, Demand.WITHDRAW, report.transition_id)] for plane in house.planes.values())
    assert set(report.outcomes) == set(PlaneName)
    assert report.failures == {}
    assert house.register.obligations() == ()
    assert {one.actor for one in house.entries(Kind.RECEIPT)} == {f"plane:{name}" for name in PlaneName}


@pytest.mark.requirement("R-01")
@pytest.mark.parametrize("cause", [Cause.SHIPPED, Cause.JOINED, Cause.INSTALLED, Cause.MAINTENANCE_FINISHED])
def test_an_undeclared_transition_changes_nothing_anywhere(cause):
    house = _house()
    with pytest.raises(TransitionError):
        asyncio.run(house.conductor.transition(_ID, cause, actor="operator:anna"))
    assert house.register.thing(_ID) == a_thing()
    assert list(house.store.leaves()) == []
    assert all(plane.calls == [] for plane in house.planes.values())


def test_a_stranger_has_no_transitions():
    with pytest.raises(ConfigError, match="no thing"):
        asyncio.run(_house().conductor.transition(a_thing(9).id, Cause.RETIRED, actor="operator:anna"))


@pytest.mark.parametrize(
    ("restriction", "standing"),
    [(Restriction.HELD, Standing.RESTRICTED), (Restriction.QUARANTINED, Standing.REFUSED)],
)
def test_a_restriction_leaves_the_state_and_asks_the_planes(restriction, standing):
    house = _house()
    report = asyncio.run(house.conductor.restrict(_ID, restriction, actor="detector", cause="scan"))
    assert (report.thing.state, report.thing.restriction) == (_S.OPERATIONAL, restriction)
    assert house.planes[_NETWORK].standing[_ID] is standing
    assert house.entries(Kind.RESTRICTION)[0].details["to"] == restriction.value


def test_a_restriction_that_holds_already_changes_nothing():
    house = _house(restriction=Restriction.HELD)
    with pytest.raises(TransitionError):
        asyncio.run(house.conductor.restrict(_ID, Restriction.HELD, actor="detector", cause="scan"))
    assert list(house.store.leaves()) == []


def test_a_join_keeps_its_keys_and_decisions_with_the_transition():
    house = _house(state=_S.BOOTSTRAPPING)
    decision = Draft(AT, Kind.AUTHORIZATION, "registrar", _ID, "rule 1")
    asyncio.run(
        house.conductor.transition(
            _ID, Cause.JOINED, actor="registrar", changes={"zone": "floor-9", "joined_at": AT}, entries=(decision,)
        )
    )
    assert house.register.thing(_ID).zone == "floor-9"
    assert house.entries(Kind.AUTHORIZATION)[0].index == house.entries(Kind.TRANSITION)[0].index - 1


@pytest.mark.parametrize("error", [down(Demand.ADMIT), KeyError("a bug"), TimeoutError()])
def test_one_failing_plane_does_not_stop_the_others_and_still_owes(error):
    house = _house()
    house.planes[_NETWORK].fail = lambda _demand: error
    report = asyncio.run(_retire(house))
    assert set(report.failures) == {_NETWORK}
    assert [owed.plane for owed in house.register.obligations()] == [_NETWORK]
    assert len(house.entries(Kind.RECEIPT)) == 5


def test_a_plane_that_does_not_answer_in_time_still_owes():
    house = _house(limits=Limits(plane_deadline=0.01))

    async def run():
        house.planes[_NETWORK].gate = asyncio.Event()
        return await _retire(house)

    assert set(asyncio.run(run()).failures) == {_NETWORK}


def test_a_receipt_for_another_demand_settles_nothing():
    house = _house()
    wrong = Receipt(_NETWORK, _ID, Demand.ADMIT, a_thing().transition_id, AT)

    class Confused(FakePlane):
        async def withdraw(self, thing, *, cause, transition_id):
            return wrong

    house.planes[_NETWORK] = Confused(_NETWORK, house.clock)
    conductor = Conductor(house.planes.values(), house.register, store=house.store, clock=house.clock)
    report = asyncio.run(conductor.transition(_ID, Cause.RETIRED, actor="operator:anna"))
    assert "another demand" in report.failures[_NETWORK]


def test_what_failed_is_tried_again_ever_more_slowly_until_it_is_met():
    house = _house(limits=Limits(first_retry=1, last_retry=4))

    async def run():
        house.planes[_NETWORK].fail = down
        await _retire(house)
        tries = []

        def fail(_demand):
            tries.append(house.clock.seconds)
            return down(_demand) if len(tries) < 5 else None

        house.planes[_NETWORK].fail = fail
        async with asyncio.TaskGroup() as group:
            retrying = group.create_task(house.conductor.run())
            await until(lambda: not house.register.obligations())
            retrying.cancel()
        return tries

    assert asyncio.run(run()) == [1, 3, 7, 11, 15]
    assert house.planes[_NETWORK].standing[_ID] is Standing.REFUSED


@pytest.mark.requirement("R-09")
def test_a_late_admission_never_follows_a_withdrawal():
    house = _house(state=_S.BOOTSTRAPPING)

    async def run():
        house.planes[_NETWORK].fail = lambda demand: down(demand) if demand is Demand.ADMIT else None
        await house.conductor.transition(_ID, Cause.JOINED, actor="registrar")
        await _retire(house)
        house.planes[_NETWORK].fail = lambda _demand: None
        return await house.conductor.resume()

    assert asyncio.run(run()) == ()
    assert house.planes[_NETWORK].standing[_ID] is Standing.REFUSED


@pytest.mark.requirement("R-09")
def test_a_withdrawal_that_overtakes_an_admission_in_flight_comes_last():
    house = _house(state=_S.BOOTSTRAPPING)

    async def run():
        gate = house.planes[_NETWORK].gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            joining = group.create_task(house.conductor.transition(_ID, Cause.JOINED, actor="registrar"))
            await until(lambda: bool(house.planes[_NETWORK].calls))
            retiring = group.create_task(_retire(house))
            await until(lambda: house.register.thing(_ID).state is _S.DECOMMISSIONED)
            gate.set()
        return joining.result(), retiring.result()

    joining, retiring = asyncio.run(run())
    assert [demand for _, demand, _ in house.planes[_NETWORK].calls] == [Demand.ADMIT, Demand.WITHDRAW]
    assert house.planes[_NETWORK].standing[_ID] is Standing.REFUSED
    assert (joining.failures, retiring.failures, house.register.obligations()) == ({}, {}, ())


def test_what_is_being_met_is_not_asked_for_again_by_a_retry():
    house = _house()

    async def run():
        gate = house.planes[_NETWORK].gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(_retire(house))
            await until(lambda: len(house.register.obligations()) == 1)
            retry = group.create_task(house.conductor.resume())
            await asyncio.sleep(0)
            gate.set()
        return retry.result()

    assert asyncio.run(run()) == ()
    assert len(house.planes[_NETWORK].calls) == 1
    assert len(house.entries(Kind.RECEIPT)) == 6


def test_of_two_transitions_at_once_each_stands_on_the_other():
    house = _house()

    async def run():
        await asyncio.gather(
            house.conductor.transition(_ID, Cause.MAINTENANCE_STARTED, actor="a"),
            house.conductor.restrict(_ID, Restriction.QUARANTINED, actor="b", cause="scan"),
            house.conductor.amend(_ID, actor="c", cause="moved", changes={"zone": "cellar"}),
        )

    asyncio.run(run())
    after = house.register.thing(_ID)
    assert (after.version, after.state, after.restriction, after.zone) == (
        4,
        _S.MAINTENANCE,
        Restriction.QUARANTINED,
        "cellar",
    )


@pytest.mark.parametrize("commits", [0, 1, 2])
def test_what_planes_meet_in_one_turn_is_one_commit_and_fails_as_one(commits):
    store = _Mortal()
    asyncio.run(store.commit(Unit(things=(a_thing(),))))
    house = House(store)
    store.commits_left = commits
    if commits == 0:
        with pytest.raises(StorageError):
            asyncio.run(_retire(house))
    else:
        assert len(asyncio.run(_retire(house)).failures) == (6 if commits == 1 else 0)
    store.commits_left = 1000
    asyncio.run(house.conductor.resume())
    assert store.load().obligations == ()
    settled = [one.actor for one in house.entries(Kind.RECEIPT)]
    assert len(settled) == len(set(settled)) == (6 if commits else 0)


@pytest.mark.parametrize("commits", range(8))
def test_after_a_crash_at_any_commit_every_obligation_is_settled_once(commits):
    store = _Mortal()
    asyncio.run(store.commit(Unit(things=(a_thing(),))))
    first = House(store)
    for place, plane in enumerate(first.planes.values()):
        plane.turns = 5 * place
    store.commits_left = commits
    if commits == 0:
        with pytest.raises(StorageError):
            asyncio.run(_retire(first))
        assert all(plane.calls == [] for plane in first.planes.values())
    else:
        report = asyncio.run(_retire(first))
        assert len(report.failures) == 7 - commits

    store.commits_left = 1000
    second = House(store)
    outcomes = asyncio.run(second.conductor.resume())
    assert len(outcomes) == (7 - commits if commits else 0)
    assert all(outcome.receipt for outcome in outcomes)
    assert second.register.obligations() == store.load().obligations == ()
    settled = [(one.details["transition"], one.actor) for one in second.entries(Kind.RECEIPT)]
    assert len(settled) == len(set(settled)) == (6 if commits else 0)
    assert asyncio.run(second.conductor.resume()) == ()


@pytest.mark.parametrize("hanging", PlaneName)
def test_after_a_crash_inside_a_plane_the_same_transition_is_asked_of_it_again(hanging):
    store = MemoryStore()
    asyncio.run(store.commit(Unit(things=(a_thing(),))))
    first = House(store)

    async def die():
        first.planes[hanging].gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_retire(first))
            await until(lambda: len(first.register.obligations()) == 1)
            task.cancel()

    asyncio.run(die())
    second = House(store)
    (outcome,) = asyncio.run(second.conductor.resume())
    assert outcome.obligation.plane is hanging
    assert second.planes[hanging].calls == first.planes[hanging].calls
    assert len(second.entries(Kind.RECEIPT)) == 6


def test_a_thing_becomes_known_once_and_in_a_first_state():
    house = House(MemoryStore())
    new = a_thing(state=_S.INSTALLED)
    asyncio.run(house.conductor.register(new, actor="operator:anna", evidence={"order": "7"}))
    assert house.register.thing(_ID) == new
    assert house.entries(Kind.REGISTRATION)[0].details == {"order": "7", "to": "installed"}
    with pytest.raises(StorageError):
        asyncio.run(house.conductor.register(new, actor="operator:anna"))
    for wrong in (a_thing(1), a_thing(1, state=_S.SHELF, version=2)):
        with pytest.raises(TransitionError, match="becomes known"):
            asyncio.run(house.conductor.register(wrong, actor="operator:anna"))


@pytest.mark.parametrize("name", ["state", "restriction"])
def test_state_and_restriction_are_not_amended(name):
    house = _house()
    with pytest.raises(ValueError, match="transition and restrict"):
        asyncio.run(house.conductor.amend(_ID, actor="a", cause="b", changes={name: "operational"}))


def test_a_house_without_one_plane_is_not_built():
    house = _house()
    del house.planes[PlaneName.DATA]
    with pytest.raises(ValueError, match="no plane for data"):
        Conductor(house.planes.values(), house.register, store=house.store, clock=house.clock)


def test_a_conductor_that_is_cancelled_while_planes_work_leaves_no_task_and_what_is_owed_stays_owed():
    house = _house()

    async def run():
        for plane in house.planes.values():
            plane.gate = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_retire(house)), tasks.create_task(house.conductor.run())]
            await until(lambda: all(plane.calls for plane in house.planes.values()))
            for task in running:
                task.cancel()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    assert {owed.plane for owed in house.register.obligations()} == set(PlaneName)
    assert house.entries(Kind.RECEIPT) == []
