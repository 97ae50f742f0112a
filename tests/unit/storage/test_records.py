import asyncio

from tests.unit.domain.things import AT
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import PlaneName
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import HERE, PlaneRecords, move


def test_a_plane_reads_and_writes_its_own_documents_alone():
    store = MemoryStore()

    async def run():
        mine = PlaneRecords(PlaneName.ACCESS, store)
        await mine.write({"token": b"1", "old": b"2"}, entries=(Draft(AT, Kind.ISSUE, "plane:access"),))
        await mine.write({"old": None})
        return mine

    assert asyncio.run(run()).load() == {"token": b"1"}
    assert PlaneRecords(PlaneName.ACCESS, store).load() == {"token": b"1"}
    assert PlaneRecords(PlaneName.DATA, store).load() == {}
    assert len(list(store.leaves())) == 1


def test_parts_of_a_plane_see_nothing_of_each_other():
    store = MemoryStore()

    async def run():
        for prefix in ("", "a/", "b/"):
            await PlaneRecords(PlaneName.DATA, store, prefix=prefix).write({"x": prefix.encode(), "z": b"1"})

    asyncio.run(run())
    part = PlaneRecords(PlaneName.DATA, store, prefix="a/")
    assert part.load() == {"x": b"a/", "z": b"1"}
    assert list(part.scan("x", "z")) == [("x", b"a/")]
    assert part.read("x") == b"a/"
    assert part.read("y") is None


def test_what_stays_with_the_controller_is_not_moved():
    source, target = MemoryStore(), MemoryStore()
    asyncio.run(PlaneRecords(PlaneName.SOFTWARE, source).write({"release/1": b"1", HERE + "campaign/1": b"2"}))
    asyncio.run(move(PlaneName.SOFTWARE, source, target))
    assert dict(target.documents(PlaneName.SOFTWARE)) == {"release/1": b"1"}
    assert dict(source.documents(PlaneName.SOFTWARE)) == {HERE + "campaign/1": b"2"}
