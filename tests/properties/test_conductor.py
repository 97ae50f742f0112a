"""Invariant: after any decisions about a thing, with planes that fail and a controller that dies between any two
commits, the next life ends with every plane where the table says, and nothing owed."""

import asyncio
import itertools
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.controller.planes import FakePlane, House, down
from tests.unit.domain.things import a_thing
from thingstead.domain.ledger.entry import Entry, Kind
from thingstead.domain.lifecycle import RESTRICTIONS, TRANSITIONS, Cause, LifecycleState, Restriction
from thingstead.domain.plane import Demand, PlaneName, Standing, demands
from thingstead.domain.thing import Thing
from thingstead.domain.unit import Unit
from thingstead.errors import StorageError, TransitionError
from thingstead.storage.memory import MemoryStore

STEPS = st.tuples(st.integers(0, 23), st.sets(st.sampled_from(PlaneName)), st.one_of(st.none(), st.integers(0, 8)))


class MortalStore(MemoryStore):
    """Dies after `left` commits; what it kept is there for the next life."""

    left: int | None = None

    async def commit(self, unit: Unit) -> tuple[Entry, ...]:
        if self.left == 0:
            raise StorageError("killed")
        if self.left is not None:
            self.left -= 1
        return await super().commit(unit)


def choose(thing: Thing, number: int) -> Cause | Restriction:
    """One of the decisions that the tables allow about `thing` now."""
    causes = [cause for state, cause in TRANSITIONS if state is thing.state]
    restrictions = [wanted for current, wanted in RESTRICTIONS if current is thing.restriction]
    allowed: list[Cause | Restriction] = [*causes, *sorted(restrictions)]
    return allowed[number % len(allowed)]


async def decide(house: House, thing: Thing, decision: Cause | Restriction) -> None:
    with suppress(TransitionError, StorageError):
        if isinstance(decision, Cause):
            await house.conductor.transition(thing.id, decision, actor="test")
        else:
            await house.conductor.restrict(thing.id, decision, actor="test", cause="test")


def expected(history: list[Thing]) -> dict[PlaneName, Demand]:
    """What each plane was last asked for along the versions that were kept."""
    asked: dict[PlaneName, Demand] = {}
    for before, after in itertools.pairwise(history):
        asked |= demands(before, after)
    return asked


def agrees(standing: Standing, demand: Demand, thing: Thing) -> bool:
    if demand is Demand.ADMIT:
        return standing is Standing.ACCEPTED
    cut_off = demand is Demand.WITHDRAW or thing.restriction is Restriction.QUARANTINED
    return standing is Standing.REFUSED if cut_off else standing is not Standing.ACCEPTED


@settings(deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=12))
def test_every_plane_ends_where_the_table_says_and_nothing_is_owed(steps):
    asyncio.run(story(steps))


async def story(steps: list[tuple[int, set[PlaneName], int | None]]) -> None:
    store, start = MortalStore(), a_thing(state=LifecycleState.BOOTSTRAPPING)
    await store.commit(Unit(things=(start,)))
    house, history = House(store), [start]
    planes: dict[PlaneName, FakePlane] = house.planes
    for number, failing, dies_after in steps:
        for name, plane in planes.items():
            plane.fail = down if name in failing else lambda _demand: None
        store.left = dies_after
        await decide(house, start, choose(history[-1], number))
        store.left = None
        (kept,) = store.load().things
        history.append(kept)
        if dies_after is not None:
            house = House(store, planes=planes)
    for plane in planes.values():
        plane.fail = lambda _demand: None
    await house.conductor.resume()

    assert store.load().obligations == ()
    for name, demand in expected(history).items():
        assert agrees(planes[name].standing[start.id], demand, history[-1])
    receipts = [(one.actor, one.details["transition"]) for one in house.entries(Kind.RECEIPT)]
    assert len(receipts) == len(set(receipts))
