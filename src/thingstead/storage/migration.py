"""The data format's history: numbered migrations, applied by name, never changed once released."""

from __future__ import annotations

import sqlite3

from thingstead.errors import StorageError

__all__ = ["MIGRATIONS", "migrate"]

MIGRATIONS: dict[str, tuple[str, ...]] = {
    "0001 things, planes, ledger": (
        "CREATE TABLE thing (id TEXT PRIMARY KEY, version INTEGER NOT NULL, document BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE plane_identity (key TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE plane_access (key TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE plane_groups (key TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE plane_software (key TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE plane_network (key TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE plane_data (key TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE ledger (place INTEGER PRIMARY KEY, leaf BLOB NOT NULL, leaf_hash BLOB NOT NULL)",
        "CREATE TABLE ledger_head (size INTEGER PRIMARY KEY, document BLOB NOT NULL)",
        (
            "CREATE TABLE obligation (number INTEGER PRIMARY KEY, transition_id TEXT NOT NULL, plane TEXT NOT NULL,"
            " thing TEXT NOT NULL, demand TEXT NOT NULL, cause TEXT NOT NULL, opened_at INTEGER NOT NULL,"
            " UNIQUE (transition_id, plane))"
        ),
    ),
    # Chunks of telemetry were thing/number/series; by their time they are kept from now on, for it was not said before.
    "0002 telemetry by series and time": (
        (
            "UPDATE plane_data SET key = substr(key, 1, 23) || substr(key, 33) || ' ' ||"
            " printf('%016d', strftime('%s', 'now') * 1000000 + substr(key, 24, 8))"
        ),
    ),
}


def migrate(connection: sqlite3.Connection) -> None:
    """Apply what is missing, each migration in one transaction.

    Raises:
        StorageError: the file knows a migration that we do not: a newer version wrote it.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY) WITHOUT ROWID")
    applied = {name for (name,) in connection.execute("SELECT name FROM migration")}
    unknown = sorted(applied - set(MIGRATIONS))
    if unknown:
        raise StorageError(f"the data was written by a newer version, with migration {unknown[0]!r}")
    for name, statements in MIGRATIONS.items():
        if name not in applied:
            connection.execute("BEGIN IMMEDIATE")
            for statement in statements:
                connection.execute(statement)
            connection.execute("INSERT INTO migration (name) VALUES (?)", (name,))
            connection.execute("COMMIT")
