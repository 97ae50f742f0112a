"""Three ways to falsify a ledger, on a copy: to show that the verifier finds and locates each."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from thingstead.storage.sqlite import DATABASE

__all__ = ["TAMPERINGS", "tampered_copy"]


def _flip_a_bit(connection: sqlite3.Connection, size: int) -> int:
    place = size // 2
    (leaf,) = connection.execute("SELECT leaf FROM ledger WHERE place = ?", (place,)).fetchone()
    changed = bytes(leaf[:-1]) + bytes([leaf[-1] ^ 1])
    connection.execute("UPDATE ledger SET leaf = ? WHERE place = ?", (changed, place))
    return place


def _remove_an_entry(connection: sqlite3.Connection, size: int) -> int:
    place = size // 3
    connection.execute("DELETE FROM ledger WHERE place = ?", (place,))
    return place


def _cut_the_tail(connection: sqlite3.Connection, size: int) -> int:
    place = size - 3
    connection.execute("DELETE FROM ledger WHERE place >= ?", (place,))
    connection.execute("DELETE FROM ledger_head WHERE size > ?", (place,))
    return place


TAMPERINGS: dict[str, Callable[[sqlite3.Connection, int], int]] = {
    "a flipped bit": _flip_a_bit,
    "a removed entry": _remove_an_entry,
    "a cut tail": _cut_the_tail,
}
"""By name; each changes a database of so many signed entries and returns the first place it touched."""


def tampered_copy(domain: Path, copy: Path, name: str, *, size: int) -> tuple[Path, int]:
    """Copy a domain's database, write-ahead log included, and falsify the copy.

    Args:
        domain: directory of the domain.
        copy: an empty directory.
        name: one of `TAMPERINGS`, or empty for an honest copy.
        size: entries under the newest signed head.

    Returns:
        The database, and the place.
    """
    for path in domain.glob(f"{DATABASE}*"):
        shutil.copy2(path, copy / path.name)
    database = copy / DATABASE
    if not name:
        return database, -1
    with closing(sqlite3.connect(database)) as connection:
        place = TAMPERINGS[name](connection, size)
        connection.commit()
    return database, place
