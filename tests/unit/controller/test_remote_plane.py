"""A plane in another process keeps the same promise; where that process is gone it owes, and nothing else happens."""

import asyncio
from contextlib import closing

import pytest

from tests.hosting import hosted
from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.keeper.test_host import ASKED, Engine
from thingstead.controller.remote_plane import RemotePlane
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import Demand, PlaneName, Standing
from thingstead.domain.unit import Unit
from thingstead.errors import DecodeError, ForbiddenError, PolicyError, StorageError, TransportError
from thingstead.identifier import ThingId
from thingstead.keeper.host import Host
from thingstead.storage.memory import MemoryStore
from thingstead.transport.engine_socket import EngineSocket

THING = a_thing()
MANY = 300


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data.socket"


def making(store, engines=None):
    def make():
        engine = Engine(store)
        if engines is not None:
            engines.append(engine)
        return Host(PlaneName.DATA, engine, ASKED, store=store)

    return make


def asked(path, story, *, store=None, plane=RemotePlane):
    """Tell a story to a plane whose engine is at `path`."""
    with closing(EngineSocket(path, patience=2)) as engine:
        remote = plane(PlaneName.DATA, engine, store=store or MemoryStore(), standing=lambda: ([THING],))
        return asyncio.run(story(remote))


def kinds(store):
    return [entry.decode(leaf).kind for leaf in store.leaves()]


def test_a_demand_is_met_there_and_the_receipt_comes_back(path):
    engines: list[Engine] = []

    async def story(plane):
        return await plane.admit(THING, cause="joined", transition_id=THING.transition_id), await plane.probe(THING)

    with hosted(making(MemoryStore(), engines), path):
        receipt, probe = asked(path, story)
    assert (receipt.plane, receipt.thing, receipt.demand) == (PlaneName.DATA, THING.id, Demand.ADMIT)
    assert probe.standing is Standing.ACCEPTED
    assert engines[0].begun == (THING,)


@pytest.mark.parametrize("name", ["admit", "restrict", "withdraw"])
def test_where_the_process_is_gone_the_plane_owes_and_says_so(path, name):
    async def story(plane):
        with pytest.raises(TransportError, match="nobody answers"):
            await getattr(plane, name)(THING, cause="a cause", transition_id=THING.transition_id)
        with pytest.raises(TransportError):
            plane.expiries()
        return plane.trouble

    assert "nobody answers" in asked(path, story)


def test_a_process_that_was_started_again_is_told_how_things_stand_first(path):
    engines: list[Engine] = []
    store = MemoryStore()

    async def story(plane):
        for _ in range(2):
            with hosted(making(store, engines), path):
                assert await plane.ask(str, "noted", THING.id) == THING.id
                assert plane.findings("R-09") == []
        assert plane.trouble == ""

    asked(path, story)
    assert [engine.begun for engine in engines] == [(THING,)] * 2


def test_what_it_says_for_the_ledger_is_there_once_before_the_answer_is(path):
    own, ledger = MemoryStore(), MemoryStore()
    asyncio.run(own.commit(Unit(entries=(Draft(JumpingClock().utc(), Kind.ERASURE, "owner"),) * MANY)))

    async def story(plane):
        await plane.ask(str, "noted", THING.id)
        return len(kinds(ledger))

    for expected in (MANY + 1, MANY + 2):
        # A second life of the controller, and of the process.
        with hosted(making(own), path):
            assert asked(path, story, store=ledger) == expected


def test_nothing_is_taken_twice_when_two_answers_tell_of_it(path):
    own, ledger = MemoryStore(), MemoryStore()

    async def story(plane):
        await asyncio.gather(*[plane.ask(str, "noted", THING.id) for _ in range(5)])

    with hosted(making(own), path):
        asked(path, story, store=ledger)
    assert len(kinds(ledger)) == len(kinds(own)) == 5


def test_an_entry_that_was_not_kept_comes_again(path):
    own, ledger = MemoryStore(), Refusing()

    async def story(plane):
        with pytest.raises(StorageError):
            await plane.ask(str, "noted", THING.id)
        ledger.refuses = False
        await plane.ask(None, "begin", [THING])
        return len(kinds(ledger))

    with hosted(making(own), path):
        assert asked(path, story, store=ledger) == 1


class Refusing(MemoryStore):
    refuses = True

    async def commit(self, unit):
        if self.refuses:
            raise StorageError("the disk is full")
        return await super().commit(unit)


def test_refusals_come_back_as_they_are_and_what_it_may_not_tell_is_refused(path):
    async def story(plane):
        with pytest.raises(PolicyError, match="because"):
            await plane.ask(None, "refuses", "because")
        with pytest.raises(ForbiddenError, match="not its to say"):
            await plane.ask(int, "tells", 2)
        with pytest.raises(ForbiddenError):
            await plane.ask(None, "nothing")
        with pytest.raises(DecodeError):
            await plane.ask(int, "noted", ThingId(THING.id))

    with hosted(making(MemoryStore()), path):
        asked(path, story)


def test_no_plane_speaks_for_another(path):
    def make():
        host = making(MemoryStore())()
        host._engine.plane._name = PlaneName.ACCESS
        return host

    async def story(plane):
        with pytest.raises(ForbiddenError, match="speaks for access"):
            await plane.probe(THING)

    with hosted(make, path):
        asked(path, story)
