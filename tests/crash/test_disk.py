"""A disk that is full, read-only or damaged: one clear sentence, what was acknowledged stands, nothing is half done."""

import asyncio
import random
import resource
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.agent.file_home import FileHome
from thingstead.cli import main as cli
from thingstead.clock import SystemClock
from thingstead.controller.app import running
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit
from thingstead.errors import CONSEQUENCES, ConfigError, StorageError, ThingsteadError
from thingstead.simulator.scenery import MAKERS, prepare
from thingstead.storage.directory import write_whole
from thingstead.storage.sqlite import DATABASE, SqliteStore

_PAGE = 4096
_READ_ONLY = Path("/proc/thingstead")  # not even root can write there


@contextmanager
def full_disk(at):
    """No file may grow beyond `at` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def entry(number):
    return Draft(AT, Kind.CONFIGURATION, "a test", a_thing(number).id, "noted", {"filling": "x" * 2000})


@pytest.mark.parametrize("room", [0, 4096, 50_000])
def test_a_full_disk_ends_the_store_and_loses_nothing_that_was_acknowledged(tmp_path, room):
    async def fill():
        store = SqliteStore(tmp_path / "data")
        acknowledged = 0

        async def write_on():
            nonlocal acknowledged
            for number in range(1000):
                await store.commit(Unit(entries=(entry(number),)))
                acknowledged += 1

        with full_disk(room), pytest.raises(StorageError, match="the disk refused a commit"):
            await write_on()
        with pytest.raises(StorageError, match="restart the controller"):
            await store.commit(Unit(entries=(entry(0),)))
        await store.close()
        return acknowledged

    acknowledged = asyncio.run(fill())

    async def after():
        store = SqliteStore(tmp_path / "data")
        leaves = len(list(store.leaves()))
        await store.commit(Unit(entries=(entry(0),)))
        await store.close()
        return leaves

    assert asyncio.run(after()) >= acknowledged


def test_a_full_disk_leaves_a_thing_the_value_it_had(tmp_path):
    home = FileHome(tmp_path / "home")
    home.save("sequence", b"old")
    with full_disk(0), pytest.raises(StorageError, match="cannot save sequence: File too large"):
        home.save("sequence", b"new")
    assert home.load("sequence") == b"old"


def test_a_full_disk_leaves_a_file_of_the_domain_as_it_was(tmp_path):
    path = tmp_path / "head"
    write_whole(path, b"old")
    with full_disk(0), pytest.raises(StorageError, match="cannot write"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_home_that_cannot_be_written_is_refused_in_a_sentence():
    with pytest.raises(StorageError, match=f"expected a writable directory at {_READ_ONLY}"):
        FileHome(_READ_ONLY)


def test_a_directory_that_cannot_be_written_is_refused_in_a_sentence():
    with pytest.raises(ConfigError, match="cannot make the directory"):
        SqliteStore(_READ_ONLY)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A domain that lived a little, with the bytes of its database."""
    root = tmp_path_factory.mktemp("whole")
    at = SystemClock().utc()
    scenery = prepare(root, things=1, site=None, coap=("127.0.0.1", 0), mud_ports=dict.fromkeys(MAKERS, 1), at=at)
    asyncio.run(_live_a_little(scenery.domain))
    return scenery.domain, (scenery.domain.root / DATABASE).read_bytes()


async def _live_a_little(directory):
    async with running(directory) as controller:
        for number in range(30):
            await controller.foundation.store.commit(Unit(things=(a_thing(number),), entries=(entry(number),)))


def _lay_out(root, database):
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        (root / name).unlink(missing_ok=True)
    (root / DATABASE).write_bytes(database)
    (root / DATABASE).chmod(0o600)


_DAMAGES = {
    "empty": lambda data: b"",
    "one byte": lambda data: data[:1],
    "no page": lambda data: data[:100],
    "one page": lambda data: data[:4096],
    "half": lambda data: data[: len(data) // 2],
    "half a page less": lambda data: data[:-2048],
    "another file": lambda data: b"PNG" * 5000,
    "a hole": lambda data: data[:8192] + bytes(8192) + data[16384:],
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", _DAMAGES.values(), ids=_DAMAGES.keys())
def test_a_damaged_database_is_refused_in_a_sentence(whole, damage, capsys):
    domain, data = whole
    _lay_out(domain.root, damage(data))
    code = cli.main(["up", str(domain.root)])
    told = capsys.readouterr().err
    assert code == CONSEQUENCES[StorageError].exit_code, told
    assert "Traceback" not in told
    assert "--debug" not in told  # it is no fault of ours


@pytest.mark.slow
def test_a_database_that_is_gone_is_noticed_by_the_head_outside(whole, capsys):
    domain, _ = whole
    (domain.root / DATABASE).unlink()
    code = cli.main(["up", str(domain.root)])
    assert code == CONSEQUENCES[StorageError].exit_code
    assert "a head was signed over" in capsys.readouterr().err


@pytest.mark.slow
def test_no_page_of_zeros_or_noise_raises_anything_but_our_errors(whole):
    domain, data = whole
    noise = random.Random(1).randbytes(_PAGE)
    for place in range(0, len(data), _PAGE):
        for page in (bytes(_PAGE), noise):
            _lay_out(domain.root, data[:place] + page + data[place + _PAGE :])
            with suppress(ThingsteadError):
                asyncio.run(_read_all(domain.root))


async def _read_all(root):
    store = SqliteStore(root)
    try:
        Register(store.load())
        return list(store.leaves())
    finally:
        await store.close()
