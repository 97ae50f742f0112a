"""A domain that nobody serves is read, and nothing of it changes."""

import asyncio

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.controller.at_rest import at_rest, expiries_at_rest
from thingstead.controller.directory import DomainDirectory
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.unit import Unit
from thingstead.errors import ConfigError, DecodeError, TransportError
from thingstead.storage.memory import MemoryStore
from thingstead.storage.sqlite import SqliteStore

KNOWN = a_thing(1)
GONE = a_thing(2, state=LifecycleState.DECOMMISSIONED)


@pytest.fixture
def home(tmp_path):
    """A domain that knows two things, of which one has left, and does not run."""
    directory = DomainDirectory(tmp_path / "home")
    directory.create(settings='[domain]\nname = "home"\n', policy='profile = "building"\n[granted]\n')

    async def fill():
        store = SqliteStore(directory.root)
        await store.commit(Unit(things=(KNOWN, GONE)))
        await store.close()

    asyncio.run(fill())
    return directory


def read(directory):
    return asyncio.run(expiries_at_rest(directory, JumpingClock()))


@pytest.mark.requirement("R-74")
def test_a_domain_that_stands_still_tells_what_ends_for_the_things_that_are_in_it(home):
    ((what, strands),) = [(one.what, one.strands) for one in read(home)]
    assert (what, strands) == ("support of acme LX-1", (KNOWN.id,))


def test_it_can_be_read_again_and_its_ledger_is_as_it_was(home):
    assert read(home) == read(home)
    assert not home.heads(home.load()).exists()


def test_one_that_runs_is_not_read_behind_its_back(home):
    async def runs():
        store = SqliteStore(home.root)
        try:
            with pytest.raises(ConfigError, match="another controller is running"):
                await expiries_at_rest(home, JumpingClock())
        finally:
            await store.close()

    asyncio.run(runs())


def test_one_whose_ledger_is_not_what_its_head_says_tells_nothing(home):
    home.heads(home.load()).write_bytes(b"\x00")
    with pytest.raises(DecodeError):
        read(home)


def test_where_no_domain_is_nothing_is_made(tmp_path):
    with pytest.raises(ConfigError, match="no domain at"):
        read(DomainDirectory(tmp_path / "absent"))
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_asked_and_nothing_is_enforced(home, tmp_path):
    heads = tmp_path / "a.head"
    still = at_rest(home, home.load(), store=MemoryStore(), heads=heads, clock=JumpingClock())

    async def story():
        with pytest.raises(TransportError):
            await still.resolver.resolve("cloud.acme.example")
        assert await still.scan_image(b"") == []
        assert still.enforcement is not None
        assert (await still.enforcement.standing(KNOWN.id)).mode == "dry_run"

    asyncio.run(story())
