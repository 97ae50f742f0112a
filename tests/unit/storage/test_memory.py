"""What is particular to the store without a disk; what every store does is in tests/contracts/test_store.py."""

import asyncio

import pytest

from tests.unit.domain.things import AT, a_thing, an_obligation
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import PlaneRecord, Unit
from thingstead.errors import StorageError
from thingstead.storage.memory import MemoryStore

DRAFT = Draft(AT, Kind.CONFIGURATION, "operator:test", None, "tested")
KEPT = Unit(things=(a_thing(),), records=(PlaneRecord(PlaneName.DATA, "a", b"1"),), entries=(DRAFT,))


def holding(*units):
    store = MemoryStore()
    for unit in units:
        asyncio.run(store.commit(unit))
    return store


def test_a_snapshot_stays_as_it_was_while_the_store_goes_on():
    store = holding(KEPT)
    snapshot = store.load()
    asyncio.run(store.commit(Unit(things=(a_thing(version=2),))))
    assert [thing.version for thing in snapshot.things] == [1]


@pytest.mark.parametrize(
    ("unit", "why"),
    [
        (Unit(things=(a_thing(version=1),)), "the version after 1 of"),
        (Unit(things=(a_thing(version=2), a_thing(version=2))), "the version after 2 of"),
        (Unit(settled=(an_obligation(),)), "access owes nothing to"),
        (Unit(opened=(an_obligation(), an_obligation())), "access owes to .* already"),
    ],
)
def test_a_contradiction_is_told_by_what_it_contradicts(unit, why):
    with pytest.raises(StorageError, match=why):
        asyncio.run(holding(KEPT).commit(unit))


def test_two_versions_of_a_thing_in_one_unit_follow_each_other():
    store = holding(Unit(things=(a_thing(version=1), a_thing(version=2, zone="second"))))
    assert [thing.zone for thing in store.load().things] == ["second"]


def test_an_erased_document_may_be_erased_again():
    erased = Unit(records=(PlaneRecord(PlaneName.DATA, "a", None),))
    assert list(holding(KEPT, erased, erased).documents(PlaneName.DATA)) == []


def test_a_part_of_the_ledger_beyond_its_end_is_empty():
    store = holding(KEPT, Unit(entries=(DRAFT, DRAFT)))
    assert [len(list(store.leaves(*bounds))) for bounds in ((), (1,), (1, 2), (3,), (9, 12))] == [3, 2, 1, 0, 0]


def test_a_unit_that_one_listener_cannot_take_is_in_the_store_all_the_same():
    store = holding()

    def fail(_committed):
        raise RuntimeError("a listener")

    store.listen(fail)
    with pytest.raises(RuntimeError, match="a listener"):
        asyncio.run(store.commit(KEPT))
    assert len(list(store.leaves())) == 1
