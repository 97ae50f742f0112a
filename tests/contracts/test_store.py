"""What every store must do, in memory and on disk alike."""

import asyncio

import pytest

from tests.unit.domain.things import AT, a_thing, an_obligation
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import Committed, HeadRecord, PlaneRecord, Unit
from thingstead.errors import StorageError
from thingstead.storage.memory import MemoryStore
from thingstead.storage.sqlite import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def make_store(request, tmp_path):
    return MemoryStore if request.param == "memory" else lambda: SqliteStore(tmp_path / "data")


def _on(make_store, story):
    """Run `story` on a store, and close the store."""

    async def run():
        store = make_store()
        try:
            return await story(store)
        finally:
            await store.close()

    return asyncio.run(run())


def _draft(cause="tested") -> Draft:
    return Draft(AT, Kind.CONFIGURATION, "operator:test", None, cause)


def test_what_was_committed_is_loaded(make_store):
    async def story(store):
        unit = Unit(
            things=(a_thing(),),
            records=(PlaneRecord(PlaneName.DATA, "a", b"1"), PlaneRecord(PlaneName.ACCESS, "a", b"2")),
            entries=(_draft(),),
            opened=(an_obligation(), an_obligation(plane=PlaneName.DATA)),
            heads=(HeadRecord(1, b"head"),),
        )
        await store.commit(unit)
        return store.load(), list(store.leaves()), {plane: list(store.documents(plane)) for plane in PlaneName}

    snapshot, leaves, documents = _on(make_store, story)
    assert snapshot.things == (a_thing(),)
    assert documents[PlaneName.DATA] == [("a", b"1")]
    assert documents[PlaneName.ACCESS] == [("a", b"2")]
    assert documents[PlaneName.GROUPS] == []
    assert snapshot.obligations == (an_obligation(), an_obligation(plane=PlaneName.DATA))
    assert [entry.decode(leaf) for leaf in leaves] == [_draft().numbered(0)]


def test_a_document_is_replaced_and_erased(make_store):
    async def story(store):
        for document in (b"1", b"2"):
            await store.commit(Unit(records=(PlaneRecord(PlaneName.DATA, "a", document),)))
        assert dict(store.documents(PlaneName.DATA)) == {"a": b"2"}
        await store.commit(Unit(records=(PlaneRecord(PlaneName.DATA, "a", None),)))
        assert dict(store.documents(PlaneName.DATA)) == {}

    _on(make_store, story)


def _pages(count):
    return tuple([PlaneRecord(PlaneName.DATA, f"{number:03}", b"1") for number in range(count)])


def test_documents_between_two_keys_come_in_order_however_many_they_are(make_store):
    async def story(store):
        await store.commit(Unit(records=_pages(300)[::-1]))
        assert [key for key, _ in store.documents(PlaneName.DATA)] == [f"{number:03}" for number in range(300)]
        return [key for key, _ in store.documents(PlaneName.DATA, "100", "200")]

    assert _on(make_store, story) == [f"{number:03}" for number in range(100, 200)]


def test_a_reader_that_pauses_neither_stops_a_writer_nor_loses_its_place(make_store):
    async def story(store):
        await store.commit(Unit(records=_pages(300)))
        reading = store.documents(PlaneName.DATA, "", "300")
        first = next(reading)
        await store.commit(Unit(records=(PlaneRecord(PlaneName.DATA, "300", b"1"),)))
        assert dict(store.documents(PlaneName.DATA, "300")) == {"300": b"1"}
        return [first, *reading]

    assert [key for key, _ in _on(make_store, story)] == [f"{number:03}" for number in range(300)]


@pytest.mark.parametrize("version", [1, 3, 4])
def test_only_the_next_version_of_a_thing_is_kept(make_store, version):
    async def story(store):
        await store.commit(Unit(things=(a_thing(),)))
        await store.commit(Unit(things=(a_thing(version=2, zone="second"),)))
        if version == 3:
            await store.commit(Unit(things=(a_thing(version=3),)))
        with pytest.raises(StorageError):
            await store.commit(Unit(things=(a_thing(version=version, zone="third"),)))
        return store.load().things[0].zone

    assert _on(make_store, story) == ("floor-1" if version == 3 else "second")


_CONTRADICTIONS = {
    "a version that is not the next": Unit(things=(a_thing(version=2),)),
    "a settlement of nothing": Unit(settled=(an_obligation(),)),
    "a second settlement": Unit(settled=(an_obligation(1), an_obligation(1))),
    "a debt that is open already": Unit(opened=(an_obligation(1),)),
    "a debt twice": Unit(opened=(an_obligation(2), an_obligation(2))),
}


@pytest.mark.parametrize("unit", _CONTRADICTIONS.values(), ids=_CONTRADICTIONS.keys())
def test_of_a_unit_that_contradicts_the_store_nothing_is_kept(make_store, unit):
    async def story(store):
        await store.commit(Unit(opened=(an_obligation(1),)))
        before = store.load()
        whole = Unit(
            things=(a_thing(3), *unit.things),
            records=(PlaneRecord(PlaneName.DATA, "a", b"1"),),
            entries=(_draft(),),
            opened=unit.opened,
            settled=unit.settled,
        )
        with pytest.raises(StorageError):
            await store.commit(whole)
        assert store.load() == before
        assert list(store.leaves()) == []
        assert (await store.commit(Unit(entries=(_draft(),))))[0].index == 0

    _on(make_store, story)


def test_entries_are_numbered_without_a_gap_by_many_writers(make_store):
    async def story(store):
        seen = []
        store.listen(lambda committed: seen.extend(committed.entries))
        units = [Unit(entries=(_draft(f"{n}a"), _draft(f"{n}b"))) for n in range(40)]
        kept = await asyncio.gather(*[store.commit(unit) for unit in units])
        assert [one.index for one in seen] == list(range(80))
        assert sorted(one.index for pair in kept for one in pair) == list(range(80))
        assert all(first.index + 1 == second.index for first, second in kept)
        assert [entry.decode(leaf) for leaf in store.leaves(3, 6)] == seen[3:6]

    _on(make_store, story)


def test_one_contradiction_among_many_units_fails_alone(make_store):
    async def story(store):
        units = [Unit(entries=(_draft(),), settled=(an_obligation(),) if n == 5 else ()) for n in range(10)]
        results = await asyncio.gather(*[store.commit(unit) for unit in units], return_exceptions=True)
        assert [isinstance(result, StorageError) for result in results] == [n == 5 for n in range(10)]
        assert len(list(store.leaves())) == 9

    _on(make_store, story)


def test_listeners_hear_before_the_commit_returns_and_nothing_of_failures(make_store):
    async def story(store):
        heard: list[Committed] = []
        store.listen(heard.append)
        kept = await store.commit(Unit(entries=(_draft(),)))
        assert [committed.entries for committed in heard] == [kept]
        with pytest.raises(StorageError):
            await store.commit(Unit(entries=(_draft(),), settled=(an_obligation(),)))
        assert len(heard) == 1

    _on(make_store, story)


def test_what_is_settled_may_be_replaced_in_the_same_unit(make_store):
    async def story(store):
        await store.commit(Unit(opened=(an_obligation(),)))
        await store.commit(Unit(settled=(an_obligation(),), opened=(an_obligation(),)))
        assert store.load().obligations == (an_obligation(),)

    _on(make_store, story)


def test_a_unit_that_cannot_be_written_down_fails_alone(make_store):
    async def story(store):
        wrong = Draft(AT, Kind.CONFIGURATION, "operator:test", details={"object": object()})  # type: ignore[dict-item]
        with pytest.raises(Exception, match="object"):
            await store.commit(Unit(entries=(_draft(), wrong)))
        assert (await store.commit(Unit(entries=(_draft(),))))[0].index == 0

    _on(make_store, story)
