import asyncio

from tests.unit.domain.things import AT
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import PlaneName
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords


def test_a_plane_reads_and_writes_its_own_documents_alone():
    store = MemoryStore()

    async def run():
        mine = PlaneRecords(PlaneName.ACCESS, store, snapshot=store.load())
        await mine.write({"token": b"1", "old": b"2"}, entries=(Draft(AT, Kind.ISSUE, "plane:access"),))
        await mine.write({"old": None})
        return mine

    assert asyncio.run(run()).load() == {}
    assert PlaneRecords(PlaneName.ACCESS, store, snapshot=store.load()).load() == {"token": b"1"}
    assert PlaneRecords(PlaneName.DATA, store, snapshot=store.load()).load() == {}
    assert len(list(store.leaves())) == 1
