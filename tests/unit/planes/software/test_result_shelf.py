"""Results outlive restarts and backups; of what was not published the newest are kept, and of what was all."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.domain.things import AT
from thingstead.domain import release_result
from thingstead.domain.check import Check, Outcome
from thingstead.domain.plane import PlaneName
from thingstead.domain.release_result import Result, Verdict
from thingstead.errors import DecodeError
from thingstead.planes.software.result_shelf import ResultShelf
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-84")
OUTCOMES = {Verdict.PUBLISHED: Outcome.PASSED, Verdict.HELD: Outcome.HELD, Verdict.REFUSED: Outcome.REFUSED}


def result(number, verdict=Verdict.REFUSED, *, hours=0):
    manifest = number.to_bytes(32, "big")
    checks = (Check("image-scan", OUTCOMES[verdict]),)
    at = AT + timedelta(hours=hours or number)
    return Result(manifest, bytes(32), "acme", "LX-1", "1", number, False, at, verdict, checks, {})


class House:
    def __init__(self):
        self.store = MemoryStore()
        self.restart()

    def restart(self):
        self.records = PlaneRecords(PlaneName.SOFTWARE, self.store)
        self.shelf = ResultShelf(self.records)
        return self.shelf

    def keep(self, *results):
        for one in results:
            changes = self.shelf.changes(one)
            asyncio.run(self.records.write(changes))
            self.shelf.take(changes)

    def has(self, number):
        return self.shelf.find(number.to_bytes(32, "big").hex()) is not None


@pytest.fixture
def house():
    return House()


def test_the_newest_result_of_a_release_is_found_by_how_its_digest_begins_also_after_a_restart(house):
    house.keep(result(1), result(1, Verdict.PUBLISHED))
    name = (1).to_bytes(32, "big").hex()
    for shelf in (house.shelf, house.restart()):
        for begin in (name, name[:1].upper()):
            assert shelf.find(begin) == release_result.encode(result(1, Verdict.PUBLISHED))


def test_none_and_several_are_no_answer(house):
    house.keep(result(1), result(2))
    assert [house.shelf.find(one) for one in ("", "00", "ff", "result/")] == [None] * 4


def test_of_what_was_not_published_the_oldest_makes_room_and_nothing_else_does(house):
    house.keep(result(500, Verdict.PUBLISHED, hours=1), result(501, Verdict.HELD, hours=70))
    house.keep(*[result(number) for number in range(2, 65)])
    assert house.has(2)
    house.keep(result(2, hours=99), result(65))
    assert [house.has(number) for number in (2, 3, 4, 65, 500, 501)] == [True, False, True, True, True, True]
    house.restart()
    assert [house.has(number) for number in (2, 3, 4, 65, 500, 501)] == [True, False, True, True, True, True]
    assert len(house.shelf.snapshot()) == 65


def test_a_backup_brings_what_is_not_here_and_changes_nothing(house):
    house.keep(result(1, Verdict.PUBLISHED), result(2))
    taken = dict(house.shelf.snapshot())
    other = House()
    other.keep(result(1, Verdict.HELD))
    asyncio.run(other.shelf.restore({**taken, "carried/00": b"another's"}))
    for shelf in (other.shelf, other.restart()):
        assert len(shelf.snapshot()) == 2
        assert shelf.find((1).to_bytes(32, "big").hex()) == release_result.encode(result(1, Verdict.HELD))


def test_what_is_no_result_is_not_taken_for_one(house):
    asyncio.run(house.records.write({"result/00": b"\x80"}))
    with pytest.raises(DecodeError):
        house.restart()


def test_a_result_has_no_end_and_shows_nothing_by_itself(house):
    assert (house.shelf.expiries(), house.shelf.findings("R-84")) == ((), ())
