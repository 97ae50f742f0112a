"""The data plane in another process: each batch is kept once, of declared series and admitted things alone."""

import asyncio
from contextlib import closing
from datetime import timedelta

import pytest

from tests.hosting import hosted
from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from tests.unit.planes.data.test_collector import FullStore
from thingstead.cli.hosting import data_host
from thingstead.controller.data_engine import DataEngine, RemoteCollector
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.plane import PlaneName, Standing
from thingstead.domain.purpose import Purpose
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot
from thingstead.errors import DecodeError, ForbiddenError, StorageError, TransportError
from thingstead.planes.data.collector import Collector
from thingstead.planes.data.gate import Limits
from thingstead.protocols.senml import pack
from thingstead.protocols.senml.record import Record
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords
from thingstead.transport.engine_socket import EngineSocket

THING = a_thing(state=LifecycleState.OPERATIONAL)
PURPOSES = (Purpose("power", "find faults", timedelta(days=30), every=timedelta(minutes=5)),)
DEMAND = {"cause": "a cause", "transition_id": THING.transition_id}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data.socket"


def senml(value=1.0):
    return pack.render_cbor([Record(name="power", value=value, time=AT.timestamp() + value)])


def hosting(path, store, clock=None):
    return hosted(lambda: data_host(store, purposes=PURPOSES, clock=clock or JumpingClock()), path)


def told(path, story, *, limits=None):
    with closing(EngineSocket(path, patience=5)) as engine:
        plane = RemoteCollector(
            engine,
            store=MemoryStore(),
            register=Register(Snapshot(things=(THING,))),
            purposes=PURPOSES,
            clock=JumpingClock(),
            limits=limits,
        )
        return asyncio.run(story(plane))


def test_what_is_let_in_is_kept_over_there_and_shown_from_there(path):
    async def story(plane):
        await plane.resume([THING.id])
        plane.collect(THING.id, senml(7.0))
        await plane.flush()
        assert plane.latest(THING.id) == {"power": 7.0}
        assert plane.everything() == {THING.id: {"power": 7.0}}
        assert plane.interval(THING.id) == timedelta(minutes=5)
        assert len(plane.snapshot()) == 1
        assert (await plane.export(THING.id, actor="owner")).values == 1
        assert (await plane.erase(THING.id, actor="owner")).values == 1
        assert plane.everything() == {}
        assert plane.accepted == 1

    with hosting(path, MemoryStore()):
        told(path, story)


def test_what_nobody_takes_waits_and_counts_as_waiting(path):
    store = MemoryStore()

    async def story(plane):
        with hosting(path, store):
            await plane.resume([THING.id])
        plane.collect(THING.id, senml(1.0))
        with pytest.raises(TransportError):
            await plane.flush()
        plane.collect(THING.id, senml(2.0))
        with pytest.raises(ForbiddenError, match="waits to be written"):
            plane.collect(THING.id, senml(3.0))
        with hosting(path, store):
            await plane.flush()
            return (await plane.export(THING.id, actor="owner")).values

    assert told(path, story, limits=Limits(max_pending=2)) == 2


def test_whom_it_bars_it_takes_nothing_of_and_what_it_took_before_is_kept(path):
    async def story(plane):
        await plane.resume([THING.id])
        plane.collect(THING.id, senml())
        await plane.restrict(THING, **DEMAND)
        assert plane.latest(THING.id) == {"power": 1.0}
        with pytest.raises(ForbiddenError):
            plane.collect(THING.id, senml())
        assert (await plane.probe(THING)).standing is Standing.REFUSED
        await plane.admit(THING, **DEMAND)
        plane.collect(THING.id, senml())
        await plane.withdraw(THING, **DEMAND)
        with pytest.raises(ForbiddenError, match="withdrawn"):
            await plane.admit(THING, **DEMAND)
        assert not plane.accepts(THING.id)

    with hosting(path, MemoryStore()):
        told(path, story)


def test_where_nobody_is_it_bars_all_the_same_and_owes(path):
    async def story(plane):
        plane._gate.admit([THING.id])
        with pytest.raises(TransportError):
            await plane.restrict(THING, **DEMAND)
        assert not plane.accepts(THING.id)

    told(path, story)


def engine_over(store):
    records = PlaneRecords(PlaneName.DATA, store)
    return DataEngine(Collector(records, purposes=PURPOSES, clock=JumpingClock()), records)


def test_a_batch_counts_once_however_often_it_comes():
    """Also where the disk did not take it at first, and where the process was started again meanwhile."""
    store = FullStore()
    batch = ((THING.id, "power", AT.timestamp(), 1.0),)

    async def story():
        engine = engine_over(store)
        await engine.begin((THING,))
        store.is_full = True
        with pytest.raises(StorageError):
            await engine.flush(1, batch)
        store.is_full = False
        await engine.flush(1, batch)
        again = engine_over(store)
        await again.begin((THING,))
        await again.flush(1, batch)
        assert again.known() == (1, ((THING.id, "power"),))
        return (await again.export(THING.id, "owner", "")).values

    assert asyncio.run(story()) == 1


@pytest.mark.requirement("R-14")
@pytest.mark.parametrize("row", [(THING.id, "whereabouts", 1.0, 1.0), (a_thing(7).id, "power", 1.0, 1.0)])
def test_what_was_not_declared_and_who_was_not_admitted_is_not_kept_whoever_hands_it_over(row):
    async def story():
        engine = engine_over(MemoryStore())
        await engine.begin((THING,))
        await engine.flush(1, (row,))
        return engine.everything()

    assert asyncio.run(story()) == {}


def test_a_batch_that_is_none_is_refused(path):
    async def story(plane):
        await plane.resume([THING.id])
        with pytest.raises(DecodeError):
            await plane.ask(None, "flush", 1, [["thing", "power", "now", 1.0]])

    with hosting(path, MemoryStore()):
        told(path, story)
