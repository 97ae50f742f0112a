"""The store in one SQLite file: write-ahead log, synchronous, one writer thread that groups what waits.

The file is 0600 in a directory that is 0700; secrets in plane documents rest on that and on the disk.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from queue import SimpleQueue

from thingstead.domain import thing
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Entry
from thingstead.domain.plane import Demand, Obligation, PlaneName
from thingstead.domain.thing import Thing
from thingstead.domain.unit import Committed, PlaneRecord, Snapshot, Unit
from thingstead.errors import DecodeError, StorageError
from thingstead.identifier import ThingId, TransitionId
from thingstead.protocols.receipts.merkle import leaf_hash
from thingstead.storage.directory import DirectoryLock, private_directory
from thingstead.storage.migration import migrate

__all__ = ["DATABASE", "SqliteStore"]

_LOGGER = logging.getLogger(__name__)

DATABASE = "thingstead.sqlite"
_GROUP = 256
_PAGE = 64
_LAST_KEY = chr(0x10FFFF)
_TABLES = {plane: f"plane_{plane.value}" for plane in PlaneName}


class SqliteStore:
    """A `Store` on disk; `commit` returns after fsync.

    A unit that contradicts what is kept fails alone. A commit that the disk refuses ends the store:
    what is on disk is unknown then, and only reading it anew can tell.
    """

    def __init__(self, directory: Path) -> None:
        """Lock `directory`, and bring its data to the present format.

        Raises:
            ConfigError: another controller runs here, or others may read the directory.
            StorageError: the file is not ours, or is newer than we are.
        """
        self._path = private_directory(directory) / DATABASE
        self._lock = DirectoryLock(directory)
        try:
            self._connection, self._size = _open_for_writing(self._path)
            self._reading = self._reader()
        except (OSError, sqlite3.Error) as error:
            self._lock.release()
            raise StorageError(f"cannot open {self._path}: {error}") from error
        except StorageError:
            self._lock.release()
            raise
        self._listeners: list[Callable[[Committed], None]] = []
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._broken = ""
        self._must_fold = False
        self._closed = False
        self._writer = threading.Thread(target=self._write, name="thingstead-store", daemon=True)
        self._writer.start()

    def load(self) -> Snapshot:
        """Things and open obligations."""
        try:
            with closing(self._reader()) as reader:
                return Snapshot(
                    things=tuple([thing.decode(row[0]) for row in reader.execute("SELECT document FROM thing")]),
                    obligations=tuple([_obligation(row) for row in reader.execute(_SELECT_OBLIGATIONS)]),
                )
        except (sqlite3.Error, DecodeError, ValueError) as error:
            raise StorageError(f"cannot read {self._path}: {error}") from error

    def documents(self, plane: PlaneName, first: str = "", last: str | None = None) -> Iterator[tuple[str, bytes]]:
        """The documents between `first` and `last`, page by page.

        Nothing of the database is held between pages, so that what is committed meanwhile is seen, and a reader that
        is slow or never comes back stops no checkpoint.
        """
        until = _LAST_KEY if last is None else last
        while True:
            try:
                page = self._reading.execute(_SELECT[plane], (first, until)).fetchall()
            except sqlite3.Error as error:
                raise StorageError(f"cannot read documents of {plane} in {self._path}: {error}") from error
            yield from page
            if len(page) < _PAGE:
                return
            first = page[-1][0] + "\0"

    def leaves(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The leaves between `start` and `stop`, read as they are asked for."""
        until = 1 << 62 if stop is None else stop
        try:
            with closing(self._reader()) as reader:
                rows = reader.execute(
                    "SELECT place, leaf FROM ledger WHERE place >= ? AND place < ? ORDER BY place", (start, until)
                )
                for expected, (place, leaf) in enumerate(rows, start):
                    if place != expected:
                        raise StorageError(f"ledger entry {expected} is missing from {self._path}")
                    yield leaf
        except sqlite3.Error as error:
            raise StorageError(f"cannot read the ledger in {self._path}: {error}") from error

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Tell `listener` of every unit, on the event loop of its `commit`."""
        self._listeners.append(listener)

    async def commit(self, unit: Unit) -> tuple[Entry, ...]:
        """Hand `unit` to the writer, and wait until it is on disk."""
        if self._closed:
            raise StorageError("the store is closed")
        waiting = _Waiting(unit, asyncio.get_running_loop())
        self._waiting.put(waiting)
        return await waiting.future

    async def close(self) -> None:
        """Write what waits, fold the log into the file, release the directory."""
        self._closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._writer.join)
        self._reading.close()
        self._connection.close()
        self._lock.release()

    def _reader(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)

    def _write(self) -> None:
        """The writer thread: one transaction for all that waits, up to a group."""
        last = False
        while not last:
            first = self._waiting.get()
            group = [] if first is None else [first]
            last = first is None
            while not last and len(group) < _GROUP and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    last = True
                else:
                    group.append(following)
            if group:
                self._commit_group(group)
                self._must_fold |= any(_erases(waiting.unit) for waiting in group)
            if self._must_fold and self._waiting.empty():
                self._fold()

    def _fold(self) -> None:
        """Cut the log once nobody waits: what was erased stays in it else, until new pages happen to cover it."""
        try:
            ((is_busy, _, _),) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            _LOGGER.warning("what was erased stands in the log of %s until the next commit: %s", self._path, error)
        else:
            # A reader that holds a page has to let go of it first.
            self._must_fold = bool(is_busy)

    def _commit_group(self, group: list[_Waiting]) -> None:
        size = self._size
        outcomes: Sequence[Committed | Exception]
        try:
            if self._broken:
                raise StorageError(self._broken)
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._try_unit(waiting.unit) for waiting in group]
            self._connection.execute("COMMIT")
        except (sqlite3.Error, StorageError) as error:
            self._size = size
            if not self._broken:
                self._broken = f"the disk refused a commit ({error}); restart the controller"
                _LOGGER.error("%s: nothing is decided until then", self._broken)  # noqa: TRY400  said, not explained
            outcomes = [StorageError(self._broken) for _ in group]
        for waiting, outcome in zip(group, outcomes, strict=True):
            with suppress(RuntimeError):  # the event loop is gone, and whoever waited with it
                waiting.loop.call_soon_threadsafe(self._tell, waiting, outcome)

    def _try_unit(self, unit: Unit) -> Committed | Exception:
        """Write `unit` inside the group's transaction; one that contradicts what is kept leaves no trace."""
        self._connection.execute("SAVEPOINT unit")
        size = self._size
        try:
            committed = self._write_unit(unit)
        except sqlite3.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001  whatever is wrong with one unit must not end the writer
            self._connection.execute("ROLLBACK TO unit")
            self._connection.execute("RELEASE unit")
            self._size = size
            contradiction = isinstance(error, sqlite3.IntegrityError)
            return StorageError(f"a unit contradicts the store: {error}") if contradiction else error
        self._connection.execute("RELEASE unit")
        return committed

    def _write_unit(self, unit: Unit) -> Committed:
        write = self._connection.execute
        for record in unit.things:
            self._write_thing(record)
        for document in unit.records:
            _write_record(self._connection, document)
        for owed in unit.settled:
            if write(_DELETE_OBLIGATION, (owed.transition_id, owed.plane.value)).rowcount != 1:
                raise StorageError(f"{owed.plane} owes nothing to {owed.transition_id}")
        for owed in unit.opened:
            write(
                _INSERT_OBLIGATION,
                (
                    owed.transition_id,
                    owed.plane.value,
                    owed.thing,
                    owed.demand.value,
                    owed.cause,
                    microseconds(owed.opened_at),
                ),
            )
        for head in unit.heads:
            write("INSERT OR REPLACE INTO ledger_head (size, document) VALUES (?, ?)", (head.size, head.document))
        entries = tuple([draft.numbered(self._size + place) for place, draft in enumerate(unit.entries)])
        leaves = tuple([entry.encode(one) for one in entries])
        for one, leaf in zip(entries, leaves, strict=True):
            write("INSERT INTO ledger (place, leaf, leaf_hash) VALUES (?, ?, ?)", (one.index, leaf, leaf_hash(leaf)))
        self._size += len(entries)
        return Committed(unit, entries, leaves)

    def _write_thing(self, record: Thing) -> None:
        document = thing.encode(record)
        if record.version == 1:
            self._connection.execute(
                "INSERT INTO thing (id, version, document) VALUES (?, 1, ?)", (record.id, document)
            )
            return
        changed = self._connection.execute(
            "UPDATE thing SET version = ?, document = ? WHERE id = ? AND version = ?",
            (record.version, document, record.id, record.version - 1),
        )
        if changed.rowcount != 1:
            raise StorageError(f"expected version {record.version - 1} of {record.id} before version {record.version}")

    def _tell(self, waiting: _Waiting, outcome: Committed | Exception) -> None:
        """Back on the event loop: listeners first, then whoever waits, if it still does."""
        if isinstance(outcome, Exception):
            if not waiting.future.done():
                waiting.future.set_exception(outcome)
            return
        try:
            for listener in self._listeners:
                listener(outcome)
        finally:
            if not waiting.future.done():
                waiting.future.set_result(outcome.entries)


class _Waiting:
    """A unit on its way to the disk, and who waits for it."""

    __slots__ = ("future", "loop", "unit")

    def __init__(self, unit: Unit, loop: asyncio.AbstractEventLoop) -> None:
        self.unit = unit
        self.loop = loop
        self.future: asyncio.Future[tuple[Entry, ...]] = loop.create_future()


_INSERT_OBLIGATION = (
    "INSERT INTO obligation (transition_id, plane, thing, demand, cause, opened_at) VALUES (?, ?, ?, ?, ?, ?)"
)
_DELETE_OBLIGATION = "DELETE FROM obligation WHERE transition_id = ? AND plane = ?"
_SELECT_OBLIGATIONS = "SELECT transition_id, plane, thing, demand, cause, opened_at FROM obligation ORDER BY number"
_SELECT = {
    plane: f"SELECT key, document FROM {table} WHERE key >= ? AND key < ? ORDER BY key LIMIT {_PAGE}"  # noqa: S608  ours
    for plane, table in _TABLES.items()
}
_ERASE = {plane: f"DELETE FROM {table} WHERE key = ?" for plane, table in _TABLES.items()}  # noqa: S608
_REPLACE = {plane: f"INSERT OR REPLACE INTO {table} VALUES (?, ?)" for plane, table in _TABLES.items()}  # noqa: S608


def _open_for_writing(path: Path) -> tuple[sqlite3.Connection, int]:
    """The connection, and the number of ledger entries that there are."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        # After an end of ours that nobody announced, what was erased may stand in the log.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        migrate(connection)
        size: int = connection.execute("SELECT count(*) FROM ledger").fetchone()[0]
    except (sqlite3.Error, StorageError):
        connection.close()
        raise
    return connection, size


def _erases(unit: Unit) -> bool:
    return any(record.document is None for record in unit.records)


def _write_record(connection: sqlite3.Connection, record: PlaneRecord) -> None:
    if record.document is None:
        connection.execute(_ERASE[record.plane], (record.key,))
    else:
        connection.execute(_REPLACE[record.plane], (record.key, record.document))


def _obligation(row: tuple[str, str, str, str, str, int]) -> Obligation:
    transition_id, plane, identifier, demand, cause, opened_at = row
    return Obligation(
        TransitionId(transition_id),
        ThingId(identifier),
        PlaneName(plane),
        Demand(demand),
        cause,
        instant(opened_at),
    )
