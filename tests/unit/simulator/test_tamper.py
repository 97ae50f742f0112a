import asyncio

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT
from thingstead.controller.notary import Notary
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.unit import Unit
from thingstead.errors import StorageError
from thingstead.simulator.tamper import TAMPERINGS, tampered_copy
from thingstead.simulator.virtual.memory import MemoryHeads
from thingstead.storage.sqlite import DATABASE, SqliteStore

ENTRIES = 9
KEY = generate(KeyType.P256)


@pytest.fixture(scope="module")
def domain(tmp_path_factory):
    """The directory of a domain whose ledger is signed to its end, and the head of it."""
    directory, heads = tmp_path_factory.mktemp("domain") / "data", MemoryHeads()

    async def live():
        store = SqliteStore(directory)
        notary = Notary(store, heads, key=KEY, domain="home", clock=JumpingClock())
        for _ in range(ENTRIES):
            await store.commit(Unit(entries=(Draft(AT, Kind.CONFIGURATION, "operator:test"),)))
        await notary.seal()
        await store.close()

    asyncio.run(live())
    return directory, heads


def leaves(directory):
    async def read():
        store = SqliteStore(directory)
        try:
            return list(store.leaves())
        finally:
            await store.close()

    return asyncio.run(read())


@pytest.fixture
def falsified(domain, tmp_path):
    """Make a copy with one tampering; its directory, and the first place that was touched."""

    def make(name):
        copy = tmp_path / "copy"
        copy.mkdir(mode=0o700)
        database, place = tampered_copy(domain[0], copy, name, size=ENTRIES)
        assert database == copy / DATABASE
        return copy, place

    return make


def test_an_honest_copy_is_the_ledger(domain, falsified):
    copy, place = falsified("")
    assert (leaves(copy), place) == (leaves(domain[0]), -1)


def test_a_flipped_bit_is_in_the_place_that_is_told_and_nowhere_else(domain, falsified):
    copy, place = falsified("a flipped bit")
    pairs = zip(leaves(domain[0]), leaves(copy), strict=True)
    assert [number for number, (one, other) in enumerate(pairs) if one != other] == [place]


def test_a_removed_entry_is_missing_where_it_is_told(falsified):
    copy, place = falsified("a removed entry")
    with pytest.raises(StorageError, match=f"ledger entry {place} is missing"):
        leaves(copy)


def test_a_cut_tail_is_short_and_looks_whole(domain, falsified):
    copy, place = falsified("a cut tail")
    assert leaves(copy) == leaves(domain[0])[:place]


@pytest.mark.requirement("R-02")
@pytest.mark.parametrize("name", ["a flipped bit", "a cut tail"])
def test_a_ledger_that_was_falsified_does_not_fit_the_head_kept_outside(domain, falsified, name):
    copy, _ = falsified(name)

    async def start():
        store = SqliteStore(copy)
        try:
            Notary(store, domain[1], key=KEY, domain="home", clock=JumpingClock())
        finally:
            await store.close()

    with pytest.raises(StorageError):
        asyncio.run(start())


@pytest.mark.parametrize("name", TAMPERINGS)
def test_the_domain_itself_is_never_touched(domain, falsified, name):
    before = (domain[0] / DATABASE).read_bytes()
    falsified(name)
    assert (domain[0] / DATABASE).read_bytes() == before


def test_a_way_to_falsify_that_there_is_not_is_a_fault_of_ours(falsified):
    with pytest.raises(KeyError):
        falsified("a changed key")
