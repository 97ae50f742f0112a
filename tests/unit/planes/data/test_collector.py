import asyncio
import json
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
from thingstead.planes.data.collector import Collector, ExportPage
from thingstead.planes.data.gate import Limits
from thingstead.planes.data.series import decode_chunk, split_key
from thingstead.protocols.cbor import codec
from thingstead.protocols.senml import pack, record
from thingstead.protocols.senml.record import Record
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

_THING = a_thing()
_MANY = record.Limits(max_bytes=1 << 20, max_records=1 << 16)
_RETIRED = _THING.evolve(state=LifecycleState.DECOMMISSIONED)
_PURPOSES = (
    Purpose("power", "find faults", timedelta(days=30)),
    Purpose("t*", "comfort", timedelta(days=1)),
    Purpose("alarm", "call for help", timedelta(days=1), stale_after=timedelta(seconds=30)),
)


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


def exported(plane):
    """All rows of the one page that there is."""
    page = asyncio.run(plane.export(_THING.id, actor="owner"))
    assert page.following == ""
    return json.loads(page.senml)


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


@pytest.mark.requirement("R-14")
def test_a_series_that_was_never_declared_is_refused_and_nothing_beside_it_is_kept():
    plane = _admitted()
    with pytest.raises(ForbiddenError) as refused:
        plane.collect(_THING.id, _senml("power", "whereabouts"))
    assert refused.value.reason == "undeclared"
    assert plane.latest(_THING.id) == {}
    assert plane.accepted == 0


def _measured(seconds):
    return pack.render_cbor([Record(name="alarm", value=True, time=AT.timestamp() + seconds)])


@pytest.mark.requirement("R-14")
@pytest.mark.parametrize("seconds", [-31, 31, -86_400, 1e9])
def test_a_value_that_was_measured_at_another_time_is_refused_where_staleness_counts(seconds):
    plane = _admitted()
    with pytest.raises(ForbiddenError) as refused:
        plane.collect(_THING.id, _measured(seconds))
    assert refused.value.reason == "stale"
    assert plane.latest(_THING.id) == {}


@pytest.mark.requirement("R-14")
@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_a_value_is_taken_within_the_time_that_was_declared(seconds):
    assert _admitted().collect(_THING.id, _measured(seconds)) == 1


@pytest.mark.requirement("R-14")
@pytest.mark.parametrize("time", [{}, {6: 0}, {6: -5}, {-3: -5, 6: 1}], ids=["none", "now", "before", "base"])
def test_a_value_that_says_when_only_by_when_it_came_is_refused_where_staleness_counts(time):
    with pytest.raises(ForbiddenError) as refused:
        _admitted().collect(_THING.id, codec.encode([{0: "alarm", 4: True, **time}]))
    assert refused.value.reason == "undated"


@pytest.mark.requirement("R-14")
def test_one_stale_value_keeps_the_whole_pack_out():
    fresh = Record(name="power", value=1.0, time=AT.timestamp())
    stale = Record(name="alarm", value=True, time=AT.timestamp() - 60)
    plane = _admitted()
    with pytest.raises(ForbiddenError):
        plane.collect(_THING.id, pack.render_cbor([fresh, stale]))
    assert plane.latest(_THING.id) == {}


def test_where_staleness_does_not_count_any_time_is_taken():
    assert _admitted().collect(_THING.id, codec.encode([{0: "power", 2: 1.0}])) == 1


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
    assert exported(plane) == []


def test_an_export_is_on_the_ledger():
    store = MemoryStore()
    plane = _admitted(store=store)
    plane.collect(_THING.id, _senml("power"))
    page = asyncio.run(plane.export(_THING.id, actor="owner"))
    assert f"{_THING.id}/power" in page.senml
    assert (page.values, page.following) == (1, "")
    assert _kinds(store) == [Kind.DISCLOSURE]


def test_a_long_export_comes_in_pages_each_a_pack_and_an_entry_of_its_own():
    store, clock = MemoryStore(), JumpingClock()
    plane = _admitted(store=store, clock=clock)
    text = "x" * 200
    for second in range(700):
        clock.seconds = float(second)
        plane.collect(_THING.id, _senml("power", "t1", value=text))
        if second % 64 == 63:
            asyncio.run(plane.flush())
    pages: list[ExportPage] = []
    after = ""
    while not pages or after:
        pages.append(asyncio.run(plane.export(_THING.id, actor="owner", after=after)))
        after = pages[-1].following
    assert len(pages) == 3
    assert sum(page.values for page in pages) == 1400
    assert all(len(page.senml) < 400_000 for page in pages)
    names = [row.name for page in pages for row in pack.parse_json(page.senml, at=clock.utc(), limits=_MANY)]
    assert names == [f"{_THING.id}/power"] * 700 + [f"{_THING.id}/t1"] * 700
    assert _kinds(store) == [Kind.DISCLOSURE] * 3


@pytest.mark.parametrize("after", ["~", "zzz", "../power", "\0", "power 9999999999999999"])
def test_a_page_is_of_its_thing_alone_whatever_it_is_asked_by(after):
    plane, other = _admitted(), a_thing(7)
    asyncio.run(plane.admit(other, cause="joined", transition_id=other.transition_id))
    for thing in (_THING, other):
        plane.collect(thing.id, _senml("power"))
    page = asyncio.run(plane.export(_THING.id, actor="owner", after=after))
    assert {row["n"] for row in json.loads(page.senml)} <= {f"{_THING.id}/power"}


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


def _documents(store):
    return dict(store.documents(PlaneName.DATA))


def _told(plane, clock, seconds, *names):
    """One pack at an instant, and the flush after it."""
    clock.seconds = seconds
    plane.collect(_THING.id, _senml(*names, value=seconds))
    asyncio.run(plane.flush())


def test_a_value_rewrites_the_chunk_of_its_minutes_and_no_older_one():
    store, clock = MemoryStore(), JumpingClock()
    plane = _admitted(store=store, clock=clock)
    for seconds in (0.0, 60.0, 240.0):
        _told(plane, clock, seconds, "power")
    before = _documents(store)
    _told(plane, clock, 360.0, "power")
    after = _documents(store)
    assert [len(decode_chunk(document)) for document in after.values()] == [3, 1]
    assert before.items() <= after.items()


def test_a_clock_that_goes_back_overwrites_nothing():
    store, clock = MemoryStore(), JumpingClock()
    plane = _admitted(store=store, clock=clock)
    _told(plane, clock, 1000.0, "power")
    for _ in range(64):
        plane.collect(_THING.id, _senml("power"))
    asyncio.run(plane.flush())
    _told(plane, clock, 0.0, "power")
    clock.seconds = 0.0
    again = _admitted(store=store, clock=clock)
    _told(again, clock, 0.0, "power")
    documents = _documents(store)
    assert sum(len(decode_chunk(document)) for document in documents.values()) == 67
    assert len(documents) == 3


def test_all_values_are_exported_whether_they_are_in_memory_or_on_disk_alone():
    store, clock = MemoryStore(), JumpingClock()
    plane = _admitted(store=store, clock=clock)
    for seconds in (0.0, 600.0):
        _told(plane, clock, seconds, "power", "t1")
    plane.collect(_THING.id, _senml("power", value=7.0))
    assert sorted(row["v"] for row in exported(plane)) == [0.0, 0.0, 7.0, 600.0, 600.0]


def test_erasure_takes_what_is_on_disk_alone_and_what_cannot_be_read():
    store, clock = MemoryStore(), JumpingClock()
    plane = _admitted(store=store, clock=clock)
    for seconds in (0.0, 600.0):
        _told(plane, clock, seconds, "power")
    damaged = PlaneRecords(PlaneName.DATA, store)
    asyncio.run(damaged.write({next(iter(_documents(store))): b"damaged"}))
    receipt = asyncio.run(plane.erase(_THING.id, actor="owner"))
    assert (receipt.series, receipt.values) == (1, 1)
    assert _documents(store) == {}


def test_another_thing_is_not_touched_by_an_erasure():
    store = MemoryStore()
    plane = _admitted(store=store)
    other = a_thing(1)
    asyncio.run(plane.admit(other, cause="joined", transition_id=other.transition_id))
    for thing in (_THING, other):
        plane.collect(thing.id, _senml("power"))
    asyncio.run(plane.flush())
    asyncio.run(plane.erase(_THING.id, actor="owner"))
    assert [split_key(key)[0] for key in _documents(store)] == [other.id]


class SlowStore(MemoryStore):
    """Takes things in the order in which they are asked of it, and lets others run before it does."""

    async def commit(self, unit):
        await asyncio.sleep(0)
        return await super().commit(unit)


def test_what_a_flush_is_writing_is_erased_by_an_erasure_that_comes_meanwhile():
    async def story():
        store = SlowStore()
        plane = _plane(store)
        await plane.admit(_THING, cause="joined", transition_id=_THING.transition_id)
        plane.collect(_THING.id, _senml("power"))
        _, receipt = await asyncio.gather(plane.flush(), plane.erase(_THING.id, actor="owner"))
        plane.collect(_THING.id, _senml("power", value=2.0))
        await plane.flush()
        return receipt.values, [decode_chunk(document) for document in _documents(store).values()]

    values, left = asyncio.run(story())
    assert values == 1
    assert [[value for _, value in chunk] for chunk in left] == [[2.0]]


def test_two_flushes_at_once_count_what_waits_once():
    async def story():
        plane = _plane(SlowStore(), limits=Limits(max_pending=2))
        await plane.admit(_THING, cause="joined", transition_id=_THING.transition_id)
        plane.collect(_THING.id, _senml("power", "t1"))
        await asyncio.gather(plane.flush(), plane.flush())
        plane.collect(_THING.id, _senml("power", "t1"))
        with pytest.raises(ForbiddenError):
            plane.collect(_THING.id, _senml("power"))

    asyncio.run(story())


def test_a_value_that_comes_while_an_earlier_one_is_written_is_written_next():
    async def story():
        store = SlowStore()
        plane = _plane(store)
        await plane.admit(_THING, cause="joined", transition_id=_THING.transition_id)
        plane.collect(_THING.id, _senml("power", value=1.0))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(plane.flush())
            await asyncio.sleep(0)
            plane.collect(_THING.id, _senml("power", value=2.0))
        await plane.flush()
        return [value for document in _documents(store).values() for _, value in decode_chunk(document)]

    assert asyncio.run(story()) == [1.0, 2.0]


def test_every_thing_s_old_values_go_in_its_turn():
    store, clock = MemoryStore(), JumpingClock()
    plane = _plane(store, clock=clock)
    things = [a_thing(number) for number in range(100)]
    for thing in things:
        asyncio.run(plane.admit(thing, cause="joined", transition_id=thing.transition_id))
        plane.collect(thing.id, _senml("t1"))
    asyncio.run(plane.flush())
    clock.seconds = 2 * 86400.0
    flushes = 0
    while plane.things():
        asyncio.run(plane.flush())
        flushes += 1
    assert _documents(store) == {}
    assert flushes <= 8


def test_what_lies_about_its_time_is_kept_no_longer_for_it():
    clock = JumpingClock()
    plane = _admitted(clock=clock)
    plane.collect(_THING.id, pack.render_cbor([Record(name="t1", value=1.0, time=AT.timestamp() + 10**9)]))
    clock.seconds = 2 * 86400.0
    asyncio.run(plane.flush())
    assert plane.latest(_THING.id) == {}


def test_an_older_chunk_goes_and_the_series_stays():
    store, clock = MemoryStore(), JumpingClock()
    plane = _admitted(store=store, clock=clock)
    for seconds in (0.0, 43200.0, 86400.0 + 60.0):
        _told(plane, clock, seconds, "t1")
    assert plane.latest(_THING.id) == {"t1": 86460.0}
    assert len(_documents(store)) == 2


def test_a_key_that_is_none_of_ours_is_told_at_the_start():
    store = MemoryStore()
    asyncio.run(PlaneRecords(PlaneName.DATA, store).write({f"{_THING.id}/00000001/power": b"x"}))
    with pytest.raises(DecodeError):
        _plane(store)
