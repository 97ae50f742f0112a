import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.domain.things import AT, a_thing, an_obligation
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import PlaneRecord, Unit
from thingstead.errors import ConfigError, StorageError
from thingstead.storage.sqlite import DATABASE, SqliteStore

_DRAFT = Draft(AT, Kind.CONFIGURATION, "operator:test")


def _alter(directory, statement):
    with closing(sqlite3.connect(directory / DATABASE)) as connection:
        connection.execute(statement)
        connection.commit()


def _fill(directory, units):
    async def run():
        store = SqliteStore(directory)
        for unit in units:
            await store.commit(unit)
        await store.close()

    asyncio.run(run())


def test_a_second_controller_on_the_directory_is_refused(tmp_path):
    async def run():
        first = SqliteStore(tmp_path / "data")
        with pytest.raises(ConfigError, match="another controller"):
            SqliteStore(tmp_path / "data")
        await first.close()
        await SqliteStore(tmp_path / "data").close()

    asyncio.run(run())


def test_a_directory_that_others_may_enter_is_refused(tmp_path):
    tmp_path.chmod(0o750)
    with pytest.raises(ConfigError, match="chmod 700"):
        SqliteStore(tmp_path)


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="file/data"):
        SqliteStore(tmp_path / "file" / "data")


def test_every_file_of_the_store_is_closed_to_others(tmp_path):
    async def run():
        store = SqliteStore(tmp_path / "data")
        await store.commit(Unit(entries=(_DRAFT,)))
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
        await store.close()
        return modes

    modes = asyncio.run(run())
    assert {DATABASE, f"{DATABASE}-wal", "lock"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_a_store_of_a_newer_version_is_refused_and_released(tmp_path):
    _fill(tmp_path / "data", [])
    _alter(tmp_path / "data", "INSERT INTO migration VALUES ('9999 the future')")
    for _ in range(2):
        with pytest.raises(StorageError, match="9999 the future"):
            SqliteStore(tmp_path / "data")


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / DATABASE).write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StorageError, match="cannot open"):
        SqliteStore(tmp_path / "data")


def test_everything_is_there_after_reopening_and_counting_goes_on(tmp_path):
    _fill(tmp_path / "data", [Unit(things=(a_thing(),), entries=(_DRAFT, _DRAFT))])

    async def run():
        store = SqliteStore(tmp_path / "data")
        snapshot, kept = store.load(), await store.commit(Unit(entries=(_DRAFT,)))
        await store.close()
        return snapshot, kept

    snapshot, kept = asyncio.run(run())
    assert snapshot.things == (a_thing(),)
    assert kept[0].index == 2


def _read_all(store):
    return store.load(), [list(store.documents(plane)) for plane in PlaneName]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE thing SET document = x'80'",
        "UPDATE obligation SET plane = 'dreams'",
        "UPDATE obligation SET demand = 'praise'",
        "DROP TABLE plane_data",
    ],
)
def test_records_that_cannot_be_read_are_reported_not_skipped(tmp_path, statement):
    _fill(tmp_path / "data", [Unit(things=(a_thing(),), opened=(an_obligation(),))])
    _alter(tmp_path / "data", statement)

    async def run():
        store = SqliteStore(tmp_path / "data")
        try:
            with pytest.raises(StorageError, match="cannot read"):
                _read_all(store)
        finally:
            await store.close()

    asyncio.run(run())


@pytest.mark.requirement("R-02")
def test_a_missing_leaf_is_noticed_while_reading(tmp_path):
    _fill(tmp_path / "data", [Unit(entries=(_DRAFT,) * 3)])
    _alter(tmp_path / "data", "DELETE FROM ledger WHERE place = 1")

    async def run():
        store = SqliteStore(tmp_path / "data")
        try:
            with pytest.raises(StorageError, match="entry 1 is missing"):
                list(store.leaves())
        finally:
            await store.close()

    asyncio.run(run())


def test_after_a_commit_that_the_disk_refused_nothing_more_is_taken_which_is_told_once(tmp_path, caplog):
    async def run():
        store = SqliteStore(tmp_path / "data")
        _alter(tmp_path / "data", "DROP TABLE plane_data")
        wrong = Unit(records=(PlaneRecord(PlaneName.DATA, "a", b"1"),))
        try:
            for unit in (wrong, Unit(entries=(_DRAFT,))):
                with pytest.raises(StorageError, match="restart the controller"):
                    await store.commit(unit)
        finally:
            await store.close()

    asyncio.run(run())
    assert caplog.text.count("restart the controller: nothing is decided until then") == 1


def test_a_cancelled_commit_still_reaches_the_disk_and_the_listeners(tmp_path):
    async def run():
        store = SqliteStore(tmp_path / "data")
        heard = asyncio.Event()
        store.listen(lambda committed: heard.set())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await store.commit(Unit(entries=(_DRAFT,)))
        await heard.wait()
        leaves = list(store.leaves())
        await store.close()
        return leaves

    assert asyncio.run(run()) == [entry.encode(_DRAFT.numbered(0))]


def test_a_closed_store_takes_nothing(tmp_path):
    async def run():
        store = SqliteStore(tmp_path / "data")
        await store.close()
        with pytest.raises(StorageError, match="closed"):
            await store.commit(Unit(entries=(_DRAFT,)))

    asyncio.run(run())


def test_a_listener_that_fails_does_not_keep_the_commit_waiting(tmp_path):
    troubles = []

    def fail(_committed):
        raise KeyError("a bug")

    async def run():
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: troubles.append(context["exception"]))
        store = SqliteStore(tmp_path / "data")
        store.listen(fail)
        kept = await store.commit(Unit(entries=(_DRAFT,)))
        await store.close()
        return kept

    assert asyncio.run(run())[0].index == 0
    assert [type(trouble) for trouble in troubles] == [KeyError]


def test_what_was_handed_over_is_kept_though_its_event_loop_is_gone(tmp_path):
    stores = []

    async def hand_over():
        store = SqliteStore(tmp_path / "data")
        stores.append(store)
        waiting = asyncio.gather(*[store.commit(Unit(entries=(_DRAFT,))) for _ in range(50)])
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(hand_over())
    (store,) = stores
    asyncio.run(store.close())

    async def count():
        again = SqliteStore(tmp_path / "data")
        leaves = list(again.leaves())
        await again.close()
        return len(leaves)

    assert asyncio.run(count()) == 50


_WRITER = """
import asyncio, sys
from pathlib import Path
from tests.unit.domain.things import AT, a_thing
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import PlaneRecord, Unit
from thingstead.storage.sqlite import SqliteStore

async def one(store, number):
    text = str(number)
    await store.commit(Unit(
        things=(a_thing(number),),
        records=tuple(PlaneRecord(plane, text, text.encode()) for plane in PlaneName),
        entries=(Draft(AT, Kind.REGISTRATION, "test", a_thing(number).id), Draft(AT, Kind.RECEIPT, text)),
    ))
    print(number, flush=True)

async def run():
    store = SqliteStore(Path(sys.argv[1]))
    for start in range(0, 100000, 8):
        await asyncio.gather(*[one(store, start + n) for n in range(8)])

asyncio.run(run())
"""


@pytest.mark.parametrize("seed", [*range(4), *[pytest.param(seed, marks=pytest.mark.full) for seed in range(4, 200)]])
def test_a_killed_writer_leaves_every_acknowledged_unit_and_no_half_one(tmp_path, seed):
    root = Path(__file__).resolve().parents[3]
    wanted = random.Random(seed).randint(1, 120)
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"},
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(wanted)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().split(b"\n")[:-1] if line]

    async def run():
        store = SqliteStore(tmp_path / "data")
        snapshot, leaves = store.load(), list(store.leaves())
        records = {plane: dict(store.documents(plane)) for plane in PlaneName}
        await store.close()
        return snapshot, records, [entry.decode(leaf) for leaf in leaves]

    snapshot, records, entries = asyncio.run(run())
    kept = {one.id for one in snapshot.things}
    assert {a_thing(number).id for number in acknowledged} <= kept
    assert [one.index for one in entries] == list(range(2 * len(kept)))
    assert {one.thing for one in entries if one.kind is Kind.REGISTRATION} == kept
    for plane in PlaneName:
        documents = records[plane]
        assert {a_thing(int(key)).id for key in documents} == kept
        assert all(key.encode() == document for key, document in documents.items())


def _on_disk(folder, secret):
    return sorted(path.name for path in folder.iterdir() if path.is_file() and secret in path.read_bytes())


def _kept_and_erased(folder, *, before_it_folds=lambda _store: None):
    """A store that kept a secret and erased it, and still lives."""
    secret = b"a master secret of 31 bytes ..."

    async def story():
        store = SqliteStore(folder)
        await store.commit(Unit(records=(PlaneRecord(PlaneName.ACCESS, "thing", secret),)))
        assert _on_disk(folder, secret)
        before_it_folds(store)
        await store.commit(Unit(records=(PlaneRecord(PlaneName.ACCESS, "thing", None),)))
        for _ in range(1000):
            # The log is cut when the writer has nothing else to do; a commit behind it may be faster once.
            await store.commit(Unit())
            if not (found := _on_disk(folder, secret)):
                break
        await store.close()
        return found, _on_disk(folder, secret)

    return asyncio.run(story())


@pytest.mark.requirement("R-10")
def test_what_was_erased_stands_in_no_file_any_more_while_the_store_lives(tmp_path):
    assert _kept_and_erased(tmp_path / "data") == ([], [])


def test_a_log_that_cannot_be_cut_now_is_cut_later(tmp_path, caplog):
    def hold(store):
        fold = store._fold

        def refuse_once():
            store._fold = fold
            store._connection.execute("PRAGMA busy_timeout = 0")
            reader = store._reader()
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM thing").fetchone()
            fold()
            assert store._must_fold
            reader.close()

        store._fold = refuse_once

    assert _kept_and_erased(tmp_path / "data", before_it_folds=hold) == ([], [])


@pytest.mark.requirement("R-10")
def test_what_a_killed_store_left_in_its_log_is_cut_at_the_next_start(tmp_path, monkeypatch):
    secret = b"a master secret of 31 bytes ..."

    async def story():
        first = SqliteStore(tmp_path / "data")
        await first.commit(Unit(records=(PlaneRecord(PlaneName.ACCESS, "thing", secret),)))
        monkeypatch.setattr(first, "_fold", lambda: None)
        await first.commit(Unit(records=(PlaneRecord(PlaneName.ACCESS, "thing", None),)))
        shutil.copytree(tmp_path / "data", tmp_path / "as it was")
        await first.close()
        assert _on_disk(tmp_path / "as it was", secret)
        (tmp_path / "as it was").chmod(0o700)
        second = SqliteStore(tmp_path / "as it was")
        found = _on_disk(tmp_path / "as it was", secret)
        await second.close()
        return found

    assert asyncio.run(story()) == []
