"""Invariant: what was acknowledged as taken away stands in the second place, at whichever instant a controller dies."""

import asyncio

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.controller.revocation import authenticate
from thingstead.controller.second_place import SecondPlace, epoch_of
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import Committed, Unit
from thingstead.errors import AuthenticationError, DecodeError, StorageError
from thingstead.simulator.virtual.memory import MemoryHeads
from thingstead.storage.memory import MemoryStore

KEY = generate(KeyType.P256)
LAMP = a_thing(1)
RETIRED = LAMP.evolve(state=LifecycleState.DECOMMISSIONED)
HELD = LAMP.evolve(restriction=Restriction.HELD)


class Place(MemoryHeads):
    """A second place that notes how often it was written, and may be full."""

    def __init__(self):
        super().__init__()
        self.written, self.is_full = 0, False

    async def keep(self, head):
        await asyncio.sleep(0)
        if self.is_full:
            raise StorageError("no space")
        self.written += 1
        self.head = head

    def said(self, key=KEY):
        return authenticate(self.head or b"", key.public, domain="home").revocations


class Disk(MemoryStore):
    """A disk that may die under a commit, before it is kept."""

    is_dying = False

    async def commit(self, unit):
        if self.is_dying:
            raise StorageError("the power is cut")
        return await super().commit(unit)


class Home:
    def __init__(self):
        self.disk, self.place = Disk(), Place()
        self.store = self.started()

    def started(self, key=KEY):
        things = self.disk.load().things
        self.store = SecondPlace(
            self.disk, self.place, key=key, domain="home", epoch=epoch_of(self.disk), things=things
        )
        return self.store

    def commit(self, *units):
        async def all_at_once():
            return await asyncio.gather(*[self.store.commit(unit) for unit in units])

        return asyncio.run(all_at_once())


@pytest.fixture
def home():
    made = Home()
    made.commit(Unit(things=(LAMP,)))
    return made


def entry(kind, cause="x", thing=None):
    return Unit(entries=(Draft(AT, kind, "owner", thing, cause),))


@pytest.mark.requirement("R-62")
@pytest.mark.parametrize("taken", [RETIRED, HELD])
def test_what_is_taken_from_a_thing_stands_in_the_second_place_before_it_counts_in_the_first(home, taken):
    home.disk.is_dying = True
    with pytest.raises(StorageError):
        home.commit(Unit(things=(taken,)))
    assert home.place.said().things == (taken,)
    assert home.disk.load().things == (LAMP,)


def test_the_next_start_puts_right_what_was_never_decided(home):
    home.disk.is_dying = True
    with pytest.raises(StorageError):
        home.commit(Unit(things=(RETIRED,)))
    home.disk.is_dying = False
    asyncio.run(home.started().settle())
    assert home.place.said().things == ()


def test_what_is_given_back_leaves_the_second_place_after_it_was_given_back(home):
    home.commit(Unit(things=(HELD,)))
    free = HELD.evolve(restriction=Restriction.NONE)
    home.disk.is_dying = True
    with pytest.raises(StorageError):
        home.commit(Unit(things=(free,)))
    assert home.place.said().things == (HELD,)
    home.disk.is_dying = False
    home.commit(Unit(things=(free,)))
    assert home.place.said().things == ()


def test_a_place_that_takes_nothing_does_not_save_a_thing_and_gets_it_later(home, caplog):
    home.place.is_full = True
    home.commit(Unit(things=(RETIRED,)))
    assert home.disk.load().things == (RETIRED,)
    assert "a restore would not know it" in caplog.text
    with pytest.raises(StorageError):
        asyncio.run(home.store.settle())
    home.place.is_full = False
    asyncio.run(home.store.settle())
    assert home.place.said().things == (RETIRED,)
    assert not home.store.is_behind


def test_a_thousand_at_once_are_a_few_writes(home):
    things = [a_thing(number) for number in range(2, 1002)]
    home.commit(*[Unit(things=(thing,)) for thing in things])
    before = home.place.written
    home.commit(*[Unit(things=(thing.evolve(state=LifecycleState.DECOMMISSIONED),)) for thing in things])
    assert len(home.place.said().things) == 1000
    assert home.place.written - before < 5


def test_what_takes_nothing_away_writes_nothing(home):
    before = home.place.written
    home.commit(Unit(things=(LAMP.evolve(zone="attic"),)), entry(Kind.REFUSAL), entry(Kind.GROUP, "joined", LAMP.id))
    home.commit(entry(Kind.CONFIGURATION, "zone", LAMP.id))
    assert home.place.written == before


@pytest.mark.parametrize(
    "unit",
    [entry(Kind.CONFIGURATION, "policy"), entry(Kind.ERASURE, thing=LAMP.id), entry(Kind.GROUP, "evicted", LAMP.id)],
    ids=["rules", "data", "a group"],
)
def test_what_no_record_tells_of_is_noted_by_its_place_in_the_ledger_over_restarts(home, unit):
    home.commit(entry(Kind.REFUSAL), unit, entry(Kind.REFUSAL))
    assert home.place.said().decided == 2
    home.started()
    home.commit(Unit(things=(HELD,)))
    assert home.place.said().decided == 2


def test_backups_from_before_there_was_a_second_place_are_held(home):
    home.commit(entry(Kind.REFUSAL), entry(Kind.REFUSAL))
    home.place.head = None
    asyncio.run(home.started().settle())
    assert home.place.said().decided == 2


def test_a_start_that_finds_what_it_knows_writes_nothing(home):
    home.commit(Unit(things=(RETIRED,)))
    before = home.place.written
    asyncio.run(home.started().settle())
    assert home.place.written == before


@pytest.mark.requirement("R-62")
def test_an_old_copy_of_a_domain_that_was_begun_again_does_not_start(home):
    home.commit(Unit(things=(RETIRED,)))
    with pytest.raises(AuthenticationError):
        home.started(generate(KeyType.P256))
    home.place.head = b"damaged"
    with pytest.raises(DecodeError):
        home.started()


def test_each_restore_begins_an_epoch(home):
    assert epoch_of(home.disk) == 1
    asyncio.run(home.store.begin(2))
    asyncio.run(home.store.settle())
    assert home.place.said().epoch == 2
    asyncio.run(home.started().settle())
    assert (epoch_of(home.disk), home.place.said().epoch) == (2, 2)


def test_all_else_is_the_store_s(home):
    heard: list[Committed] = []
    home.store.listen(heard.append)
    home.commit(entry(Kind.REFUSAL))
    assert len(heard) == len(list(home.store.leaves())) == 1
    assert home.store.load() == home.disk.load()
    assert list(home.store.documents(PlaneName.IDENTITY)) == []
    asyncio.run(home.store.close())


def _ended(name):
    return Unit(entries=(Draft(AT, Kind.DELEGATION, "owner", None, "revoked", {"delegation": name}),))


@pytest.mark.requirement("R-62")
def test_a_delegation_that_ended_stands_there_before_it_counts_and_over_a_restart(home):
    home.disk.is_dying = True
    with pytest.raises(StorageError):
        home.commit(_ended(b"first"))
    assert home.place.said().delegations == (b"first",)
    home.disk.is_dying = False
    home.started()
    home.commit(_ended(b"second"))
    assert home.place.said().delegations == (b"first", b"second")


@pytest.mark.parametrize(
    "draft",
    [
        Draft(AT, Kind.DELEGATION, "owner", None, "delegated", {"delegation": b"given"}),
        Draft(AT, Kind.APPROVAL, "installer:ben", None, "revoked", {"delegation": b"used"}),
        Draft(AT, Kind.DELEGATION, "owner", None, "revoked", {}),
    ],
)
def test_what_else_is_said_of_delegations_ends_none(home, draft):
    home.commit(Unit(entries=(draft,)))
    asyncio.run(home.store.settle())
    assert home.place.said().delegations == ()


def test_of_very_many_that_ended_the_newest_are_kept(home, monkeypatch):
    monkeypatch.setattr("thingstead.controller.second_place._MOST_ENDED", 2)
    for name in (b"first", b"second", b"third"):
        home.commit(_ended(name))
    assert home.place.said().delegations == (b"second", b"third")
