"""One thing of each new type is tested, once; what it came to outlives restarts, and a failure is an alarm."""

import asyncio
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.controller.test_baiting import UNSIGNED
from tests.unit.domain.things import a_thing
from thingstead.controller import type_watch
from thingstead.controller.type_watch import DOCUMENTS, TypeWatch, Ways
from thingstead.domain.check import Check, Outcome
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot
from thingstead.errors import ConfigError, StateError, StorageError
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-84")
LAMP, OTHER_LAMP, SENSOR = a_thing(0), a_thing(1), a_thing(2, model="TH-2")


class FailingRecords(PlaneRecords):
    error = None

    async def write(self, changes, *, entries=()):
        if self.error is not None:
            raise self.error
        await super().write(changes, entries=entries)


class House:
    """A watch over things that are in; what each check comes to is set."""

    def __init__(self, monkeypatch, *things):
        self.store, self.clock = MemoryStore(), JumpingClock()
        self.things = things or (LAMP, OTHER_LAMP)
        self.inside = {one.id for one in self.things}
        self.addresses = {one.id: (f"192.0.2.{number}", 5683) for number, one in enumerate(self.things, 1)}
        self.manifests = {}
        self.checks = (Check("in-clear", Outcome.PASSED),)
        self.subjects = []
        self.baits = ()
        self.stranger: Any = object()
        monkeypatch.setattr(type_watch, "examine", self._examine)
        self.restart()

    async def _examine(self, subject, stranger):
        assert stranger is self.stranger
        self.subjects.append(subject)
        return self.checks

    async def _overheard(self, _thing):
        return ()

    def restart(self):
        self.records = FailingRecords(PlaneName.SOFTWARE, self.store, prefix=DOCUMENTS)
        ways = Ways(
            stranger=self.stranger,
            accepts=lambda thing: thing in self.inside,
            runs=lambda thing: SoftwareRecord(version="1", manifest_digest=self.manifests.get(thing, b"")),
            address=self.addresses.get,
            overheard=self._overheard,
            baits=lambda _thing: (self.baits, {"older-update": "nothing older"}),
        )
        self.register = Register(Snapshot(self.things))
        self.watch = TypeWatch(ways, self.register, records=self.records, clock=self.clock)

    def look(self, times=2):
        for _ in range(times):
            asyncio.run(self.watch.look())

    def entries(self, kind):
        return [one for one in map(entry.decode, self.store.leaves()) if one.kind is kind]


@pytest.fixture
def house(monkeypatch):
    return House(monkeypatch)


def test_one_thing_of_a_type_is_tested_once(house):
    house.look(5)
    (result,) = house.watch.results()
    assert (result.thing, result.verdict, len(house.subjects)) == (LAMP.id, "passed", 1)
    assert [one.name for one in result.checks] == ["in-clear", "older-update"]
    assert [one.cause for one in house.entries(Kind.EXAMINATION)] == ["passed"]
    house.restart()
    house.look(5)
    assert len(house.subjects) == 1


def test_other_firmware_and_other_models_are_tested_too(monkeypatch):
    house = House(monkeypatch, LAMP, OTHER_LAMP, SENSOR)
    house.look(5)
    assert len(house.watch.results()) == 2
    house.manifests[OTHER_LAMP.id] = bytes(32)
    house.look(3)
    assert [one.type.manifest for one in house.watch.results()] == [b"", bytes(32), b""]


def test_a_failure_is_an_alarm(house, caplog):
    house.checks = (Check("in-clear", Outcome.FAILED, ("GET /admin",)),)
    house.look()
    (alarm,) = house.entries(Kind.ALARM)
    assert (alarm.thing, alarm.cause, dict(alarm.details)) == (LAMP.id, "type-test", {"in-clear": "GET /admin"})
    (tested,) = house.entries(Kind.EXAMINATION)
    assert (tested.cause, tested.details["failed"]) == ("failed", "in-clear")
    assert "thingstead type list" in caplog.text


def test_what_is_under_way_ends_with_the_thing_and_goes_on_with_another(house):
    house.baits = (UNSIGNED,)
    house.look(1)
    assert [thing for _, thing in house.watch.under_way()] == [LAMP.id]
    house.inside.remove(LAMP.id)
    house.look(2)
    assert [thing for _, thing in house.watch.under_way()] == [OTHER_LAMP.id]
    assert house.watch.results() == ()


def test_a_disk_that_is_full_leaves_the_type_untested(house):
    house.look(1)
    house.records.error = StorageError("full")
    with pytest.raises(StorageError):
        house.look(1)
    assert house.watch.results() == ()
    house.records.error = None
    house.look(2)
    assert len(house.watch.results()) == 1


def test_who_cannot_be_reached_is_not_tested(house):
    house.addresses.clear()
    house.look(3)
    assert house.subjects == []
    with pytest.raises(StateError):
        asyncio.run(house.watch.test(LAMP.id))


def test_nobody_is_tested_where_nobody_tests(house):
    house.stranger = None
    house.restart()
    house.look(3)
    assert house.subjects == []
    with pytest.raises(StateError):
        asyncio.run(house.watch.test(LAMP.id))


@pytest.mark.parametrize(
    ("own", "others", "is_alone"),
    [("192.0.2.1", "192.0.2.2", True), ("192.0.2.1", "192.0.2.1", False), ("127.0.0.1", "192.0.2.2", False)],
)
def test_whose_address_is_shared_is_known(house, own, others, is_alone):
    house.addresses = {LAMP.id: (own, 5683), OTHER_LAMP.id: (others, 5683)}
    house.restart()
    house.look(1)
    assert house.subjects[0].is_alone is is_alone


def test_a_result_is_found_by_how_its_name_begins(house):
    house.look()
    name = house.watch.results()[0].type.name
    assert house.watch.document(name[:6].upper()) == house.watch.document(name)
    for wrong in ("", "zz"):
        with pytest.raises(ConfigError):
            house.watch.document(wrong)


def test_of_very_many_types_the_oldest_is_dropped(house, monkeypatch):
    monkeypatch.setattr(type_watch, "_MAX_KEPT", 2)
    for number in range(3):
        house.clock.seconds = number
        house.manifests = dict.fromkeys(house.inside, bytes([number]) * 32)
        house.look(2)
    assert [one.type.manifest[0] for one in house.watch.results()] == [1, 2]
    assert len(dict(house.records.load())) == 2
    assert len(house.entries(Kind.EXAMINATION)) == 3
