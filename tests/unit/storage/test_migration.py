import sqlite3
import time
from contextlib import closing

import pytest

from thingstead.domain.plane import PlaneName
from thingstead.errors import StorageError
from thingstead.planes.data.series import split_key
from thingstead.storage import migration
from thingstead.storage.migration import MIGRATIONS, migrate


@pytest.fixture
def database():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def tables(database):
    return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def applied(database):
    return [name for (name,) in database.execute("SELECT name FROM migration ORDER BY name")]


@pytest.fixture
def one_more(monkeypatch):
    """Let the format have another migration behind those that are released."""

    def add(*statements):
        monkeypatch.setattr(migration, "MIGRATIONS", MIGRATIONS | {"9000 one more": statements})

    return add


def test_an_empty_file_gets_every_table(database):
    migrate(database)
    assert {f"plane_{plane}" for plane in PlaneName} | {"thing", "ledger", "ledger_head"} <= tables(database)
    assert applied(database) == sorted(MIGRATIONS)


def test_what_is_there_already_is_not_made_again(database):
    migrate(database)
    database.execute("INSERT INTO ledger_head VALUES (1, x'00')")
    migrate(database)
    assert database.execute("SELECT size FROM ledger_head").fetchall() == [(1,)]


def test_only_what_is_missing_is_applied(database, one_more):
    migrate(database)
    one_more("CREATE TABLE more (key TEXT)")
    migrate(database)
    assert "more" in tables(database)
    assert applied(database) == sorted([*MIGRATIONS, "9000 one more"])


def test_data_of_a_newer_version_is_refused_and_left_as_it_is(database):
    migrate(database)
    database.execute("INSERT INTO migration VALUES ('9999 the future')")
    before = tables(database)
    with pytest.raises(StorageError, match="newer version, with migration '9999 the future'"):
        migrate(database)
    assert tables(database) == before


def test_nothing_is_applied_to_data_of_a_newer_version(database, one_more):
    migrate(database)
    database.execute("INSERT INTO migration VALUES ('9999 the future')")
    one_more("CREATE TABLE more (key TEXT)")
    with pytest.raises(StorageError):
        migrate(database)
    assert "more" not in tables(database)


def test_a_migration_that_fails_leaves_no_part_of_itself(database, one_more):
    one_more("CREATE TABLE more (key TEXT)", "CREATE TABLE thing (id TEXT)")
    with pytest.raises(sqlite3.OperationalError, match="thing already exists"):
        migrate(database)
    database.rollback()
    assert "more" not in tables(database)
    assert applied(database) == sorted(MIGRATIONS)


def test_telemetry_of_an_earlier_version_is_found_by_series_in_its_order_and_kept_from_now_on(database):
    thing = "thing-aaaaaaaaaaaaaaaa"
    database.execute("CREATE TABLE migration (name TEXT PRIMARY KEY)")
    database.execute("CREATE TABLE plane_data (key TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID")
    database.executemany("INSERT INTO migration VALUES (?)", [(name,) for name in MIGRATIONS if name < "0002"])
    for number, name in ((0, "power"), (12, "power"), (1, "a/b")):
        row = (f"{thing}/{number:08d}/{name}", f"{name} {number}".encode())
        database.execute("INSERT INTO plane_data VALUES (?, ?)", row)
    earliest = time.time() - 1
    migrate(database)
    rows = database.execute("SELECT key, document FROM plane_data ORDER BY key").fetchall()
    assert [split_key(key)[:2] for key, _ in rows] == [(thing, "a/b"), (thing, "power"), (thing, "power")]
    assert [document for _, document in rows] == [b"a/b 1", b"power 0", b"power 12"]
    assert all(earliest < split_key(key)[2] / 1e6 < time.time() + 1 for key, _ in rows)


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("obligation", ("(1, 't/1', 'data', 't', 'admit', '', 0)", "(2, 't/1', 'data', 't', 'withdraw', '', 0)")),
        ("ledger", ("(0, x'00', x'00')", "(0, x'01', x'01')")),
        ("ledger_head", ("(1, x'00')", "(1, x'01')")),
        ("thing", ("('t', 1, x'00')", "('t', 2, x'00')")),
        ("plane_groups", ("('k', x'00')", "('k', x'01')")),
    ],
)
def test_the_file_itself_holds_one_row_where_there_is_one_fact(database, table, rows):
    migrate(database)
    first, second = rows
    database.execute(f"INSERT INTO {table} VALUES {first}")
    with pytest.raises(sqlite3.IntegrityError):
        database.execute(f"INSERT INTO {table} VALUES {second}")
