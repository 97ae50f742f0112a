import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.plane import PlaneName, Standing
from thingstead.domain.purpose import Purpose
from thingstead.errors import DecodeError, ForbiddenError, StorageError
from thingstead.planes.data.collector import Collector, Limits
from thingstead.protocols.senml import pack
from thingstead.protocols.senml.record import Record
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

_THING = a_thing()
_RETIRED = _THING.evolve(state=LifecycleState.DECOMMISSIONED)
_PURPOSES = (Purpose("power", "find faults", timedelta(days=30)), Purpose("t*", "comfort", timedelta(days=1)))


def _plane(store=None, limits=None, clock=None):
    store = store or MemoryStore()
    records = PlaneRecords(PlaneName.DATA, store)
    return Collector(records, purposes=_PURPOSES, clock=clock or JumpingClock(), limits=limits)


def _admitted(**settings):
    plane = _plane(**settings)
    asyncio.run(plane.admit(_THING, cause="joined", transition_id=_THING.transition_id))
    return plane


def _senml(*names, value=1.0):
    return pack.render_cbor([Record(name=name, value=value, time=AT.timestamp()) for name in names])


def _kinds(store):
    return [entry.decode(leaf).kind for leaf in store.leaves()]


def test_nothing_is_taken_from_who_was_never_admitted():
    with pytest.raises(ForbiddenError) as refused:
        _plane().collect(_THING.id, _senml("power"))
    assert refused.value.reason == "data-plane"


@pytest.mark.requirement("R-09")
def test_nothing_is_taken_from_who_was_withdrawn():
    plane = _admitted()
    asyncio.run(plane.withdraw(_RETIRED, cause="retired", transition_id=_RETIRED.transition_id))
    with pytest.raises(ForbiddenError):
        plane.collect(_THING.id, _senml("power"))
    assert asyncio.run(plane.probe(_THING)).standing is Standing.REFUSED


def test_a_series_that_was_never_declared_is_refused_and_nothing_beside_it_is_kept():
    plane = _admitted()
    with pytest.raises(ForbiddenError) as refused:
        plane.collect(_THING.id, _senml("power", "whereabouts"))
    assert refused.value.reason == "undeclared"
    assert plane.latest(_THING.id) == {}
    assert plane.accepted == 0


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x80", b"not senml"])
def test_what_is_no_senml_is_refused(data):
    with pytest.raises(DecodeError):
        _admitted().collect(_THING.id, data)


def test_a_thing_has_no_more_series_than_it_may():
    plane = _admitted(limits=Limits(max_series=2))
    plane.collect(_THING.id, _senml("t1", "t2"))
    with pytest.raises(ForbiddenError) as refused:
        plane.collect(_THING.id, _senml("t3"))
    assert refused.value.reason == "series"


def test_what_waits_to_be_written_is_bounded():
    plane = _admitted(limits=Limits(max_pending=2))
    plane.collect(_THING.id, _senml("t1", "t2"))
    with pytest.raises(ForbiddenError) as refused:
        plane.collect(_THING.id, _senml("t1"))
    assert refused.value.reason == "busy"
    asyncio.run(plane.flush())
    assert plane.collect(_THING.id, _senml("t1")) == 1


def test_what_was_flushed_is_there_after_a_restart():
    store = MemoryStore()
    plane = _admitted(store=store)
    plane.collect(_THING.id, _senml("power", value=7.0))
    asyncio.run(plane.flush())
    plane.collect(_THING.id, _senml("power", value=8.0))
    assert _plane(store).latest(_THING.id) == {"power": 7.0}


def test_values_go_when_their_time_is_over():
    clock = JumpingClock()
    plane = _admitted(clock=clock)
    plane.collect(_THING.id, _senml("t1", "power"))
    clock.seconds = 2 * 86400.0
    asyncio.run(plane.flush())
    assert plane.latest(_THING.id) == {"power": 1.0}


def test_erasure_leaves_no_value_and_an_entry_that_tells_none():
    store = MemoryStore()
    plane = _admitted(store=store)
    plane.collect(_THING.id, _senml("power", "t1"))
    asyncio.run(plane.flush())
    receipt = asyncio.run(plane.erase(_THING.id, actor="owner"))
    assert (receipt.series, receipt.values) == (2, 2)
    assert dict(store.documents(PlaneName.DATA)) == {}
    assert _kinds(store) == [Kind.ERASURE]
    assert asyncio.run(plane.export(_THING.id, actor="owner")) == "[]"


def test_an_export_is_on_the_ledger():
    store = MemoryStore()
    plane = _admitted(store=store)
    plane.collect(_THING.id, _senml("power"))
    assert f"{_THING.id}/power" in asyncio.run(plane.export(_THING.id, actor="owner"))
    assert _kinds(store) == [Kind.DISCLOSURE]


def test_a_backup_fills_in_and_overwrites_nothing():
    plane = _admitted()
    plane.collect(_THING.id, _senml("power", value=1.0))
    backup = plane.snapshot()
    fresh, later = _plane(), _admitted()
    later.collect(_THING.id, _senml("power", value=2.0))
    for target in (fresh, later):
        asyncio.run(target.restore(backup))
    assert fresh.latest(_THING.id) == {"power": 1.0}
    assert later.latest(_THING.id) == {"power": 2.0}


class FullStore(MemoryStore):
    """A disk that takes nothing while `is_full`."""

    is_full = False

    async def commit(self, unit):
        if self.is_full:
            raise StorageError("no space left")
        return await super().commit(unit)


def test_what_could_not_be_erased_is_erased_by_the_next_attempt():
    async def story():
        store = FullStore()
        plane = _plane(store)
        await plane.admit(_THING, cause="joined", transition_id=_THING.transition_id)
        plane.collect(_THING.id, _senml("power"))
        await plane.flush()
        store.is_full = True
        with pytest.raises(StorageError):
            await plane.erase(_THING.id, actor="owner")
        store.is_full = False
        receipt = await plane.erase(_THING.id, actor="owner")
        return receipt.values, dict(store.documents(PlaneName.DATA))

    assert asyncio.run(story()) == (1, {})


def test_what_could_not_be_written_is_written_by_the_next_flush_and_still_counts_as_waiting():
    async def story():
        store = FullStore()
        plane = _plane(store, limits=Limits(max_pending=2))
        await plane.admit(_THING, cause="joined", transition_id=_THING.transition_id)
        plane.collect(_THING.id, _senml("power", "t1"))
        store.is_full = True
        with pytest.raises(StorageError):
            await plane.flush()
        with pytest.raises(ForbiddenError):
            plane.collect(_THING.id, _senml("power"))
        store.is_full = False
        await plane.flush()
        plane.collect(_THING.id, _senml("power"))
        return dict(store.documents(PlaneName.DATA))

    assert len(asyncio.run(story())) == 2
