"""The data plane: telemetry comes in under a declared purpose, is kept for its time, and can be shown and erased."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from thingstead.clock import Clock
from thingstead.domain.instant import microseconds
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt, Standing
from thingstead.domain.ports import Archive
from thingstead.domain.purpose import Purpose, purpose_of
from thingstead.domain.thing import Thing
from thingstead.errors import DecodeError, ForbiddenError
from thingstead.identifier import ThingId, TransitionId
from thingstead.planes.data.series import Chunk, Value, chunk_key, decode_chunk, kept, split_key
from thingstead.protocols.senml import pack
from thingstead.protocols.senml.record import Record

__all__ = ["Collector", "ErasureReceipt", "ExportPage", "Limits"]

_SWEPT = 32
_LAST_KEY = "~"
_PAGE = 128 << 10
"""Bytes on disk after which a page of an export ends: some thousand values."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is kept.

    Attributes:
        max_series: series of one thing.
        max_pending: values accepted and not yet written, over all things; beyond it telemetry is refused.
    """

    max_series: int = 64
    max_pending: int = 100_000


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What was erased of one thing."""

    thing: ThingId
    at: datetime
    series: int
    values: int


@dataclass(frozen=True, slots=True)
class ExportPage:
    """A part of what is kept of one thing, and the receipt that it was given out.

    Attributes:
        thing: whose.
        at: when the ledger was told, before this was given.
        values: how many are in it.
        senml: a SenML-JSON pack with base fields of its own (RFC 8428 §5); an empty array where there are no values.
        following: what to ask the next page by; empty after the last.
    """

    thing: ThingId
    at: datetime
    values: int
    senml: str
    following: str


class Collector:
    """Takes SenML from the things it was told to admit, and writes in batches: the last second may be lost.

    In memory are the newest value of each series and what came in the last minutes; the rest is on disk alone.

    Args:
        records: the plane's documents, one per thing, series and chunk.
        purposes: declared series; what is not declared is refused, not dropped silently (R-14).
        clock: for UTC.
        limits: bounds.
    """

    name = PlaneName.DATA

    def __init__(
        self, records: Archive, *, purposes: tuple[Purpose, ...], clock: Clock, limits: Limits | None = None
    ) -> None:
        self._records = records
        self._purposes = purposes
        self._clock = clock
        self._limits = limits or Limits()
        self._open: dict[tuple[ThingId, str], Chunk] = {}
        self._latest: dict[ThingId, dict[str, Value]] = {}
        self._admitted: set[ThingId] = set()
        self._last_acceptance: dict[ThingId, datetime] = {}
        self._pending = 0
        self._opened = 0
        self._turns: list[ThingId] = []
        self.accepted = 0
        self._take_up(records.scan("", _LAST_KEY))

    def resume(self, admitted: Iterator[ThingId]) -> None:
        """Go on accepting from the things that were admitted before a restart."""
        self._admitted.update(admitted)

    def accepts(self, thing: ThingId) -> bool:
        """Whether telemetry of `thing` would be taken now."""
        return thing in self._admitted

    def collect(self, thing: ThingId, senml: bytes) -> int:
        """Take one SenML-CBOR pack; all of it or nothing. Returns the number of values.

        Raises:
            ForbiddenError: the thing is not admitted here, a series was never declared, or a value of one that must
                say when it was measured does not, or is older or newer than it may be.
            DecodeError: not SenML-CBOR.
        """
        at = self._clock.utc()
        if not self.accepts(thing):
            raise ForbiddenError(f"telemetry of {thing} is not wanted now", reason="data-plane")
        values = pack.parse_cbor(senml, at=at)
        _require_fresh(values, self._declared(self._latest.get(thing, {}), values), at)
        if self._pending + len(values) > self._limits.max_pending:
            raise ForbiddenError("telemetry waits to be written; none is taken until it is", reason="busy")
        for value in values:
            name, newest = sys.intern(value.name), kept(value)
            self._chunk(thing, name, at).values.append((value.time, newest))
            self._latest.setdefault(thing, {})[name] = newest
        self._pending += len(values)
        self.accepted += len(values)
        self._last_acceptance[thing] = at
        return len(values)

    async def flush(self) -> None:
        """Write what came since the last flush, and drop what is over its retention; call about once a second.

        Raises:
            StorageError: the disk did not take it; the next flush writes it again, and what waits still counts.
        """
        at = self._clock.utc()
        changes: dict[str, bytes | None] = {}
        emptied = self._expire(at, changes)
        taken = [(series, chunk, len(chunk.values)) for series, chunk in self._open.items() if chunk.waiting]
        changes.update({chunk_key(*series, chunk.opened): chunk.encode() for series, chunk, _ in taken})
        if changes:
            await self._records.write(changes)
        for series, chunk, count in taken:
            if self._open.get(series) is chunk and count > chunk.written:
                self._pending -= count - chunk.written
                chunk.written = count
        now = microseconds(at)
        for series in [series for series, chunk in self._open.items() if chunk.is_over(now)]:
            del self._open[series]
        for thing, name in emptied:
            if (thing, name) not in self._open:
                self._latest.get(thing, {}).pop(name, None)

    def latest(self, thing: ThingId) -> dict[str, float | bool | str]:
        """The newest value of each series."""
        return dict(self._latest.get(thing, {}))

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """What may be collected."""
        return self._purposes

    def interval(self, thing: ThingId) -> timedelta | None:
        """The longest time that `thing` leaves between two packs when all is well; None where no series of it says."""
        declared = [purpose_of(name, self._purposes) for name in self._latest.get(thing, ())]
        return min([one.every for one in declared if one is not None and one.every is not None], default=None)

    def things(self) -> tuple[ThingId, ...]:
        """Those of whom anything is kept."""
        return tuple([thing for thing, values in self._latest.items() if values])

    async def export(self, thing: ThingId, *, actor: str, after: str = "") -> ExportPage:
        """The next page of everything kept of one thing; its disclosure is on the ledger before this returns.

        Series come in the order of their names, each from its oldest value on. What comes in or is over its retention
        while somebody asks page by page may be missing.

        Args:
            thing: whose.
            actor: who asks.
            after: `ExportPage.following` of the page before; empty for the first.
        """
        await self.flush()
        records: list[Record] = []
        size, last, following = 0, "", ""
        for key, document in self._chunks(thing, after=after):
            if size >= _PAGE:
                following = last
                break
            last = key.partition("/")[2]
            size += len(document)
            name = f"{thing}/{split_key(key)[1]}"
            records += [Record(name=name, time=time, value=value) for time, value in decode_chunk(document)]
        at = self._clock.utc()
        draft = Draft(at, Kind.DISCLOSURE, actor, thing, "export", {"values": len(records)})
        await self._records.write({}, entries=[draft])
        return ExportPage(thing, at, len(records), pack.render_json(records) if records else "[]", following)

    async def erase(self, thing: ThingId, *, actor: str) -> ErasureReceipt:
        """Erase everything kept of one thing, on disk and in memory; the ledger keeps that, and not what."""
        counts = {key: _count(document) for key, document in self._chunks(thing)}
        latest = self._latest.pop(thing, {})
        for name in latest:
            # One that a flush is writing just now is named too: its erasure is committed after that.
            chunk = self._close(thing, name)
            if chunk is not None:
                counts[chunk_key(thing, name, chunk.opened)] = len(chunk.values)
        at, values = self._clock.utc(), sum(counts.values())
        draft = Draft(at, Kind.ERASURE, actor, thing, "erasure", {"series": len(latest), "values": values})
        try:
            await self._records.write(dict.fromkeys(counts), entries=[draft])
        except BaseException:
            self._latest[thing] = {**latest, **self._latest.get(thing, {})}
            raise
        return ErasureReceipt(thing, at, len(latest), values)

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Take telemetry from now on."""
        self._admitted.add(thing.id)
        return self._receipt(thing, Demand.ADMIT, transition_id, "telemetry taken")

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Take none; what is kept stays."""
        self._admitted.discard(thing.id)
        return self._receipt(thing, Demand.RESTRICT, transition_id, "telemetry refused, history kept")

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Take none ever; history stays with this owner until its retention ends or it is erased."""
        self._admitted.discard(thing.id)
        return self._receipt(thing, Demand.WITHDRAW, transition_id, "telemetry refused, history stays here")

    async def probe(self, thing: Thing) -> Probe:
        """Ask the collector, as its resource does, whether it would take a value."""
        standing = Standing.ACCEPTED if self.accepts(thing.id) else Standing.REFUSED
        last = self._last_acceptance.get(thing.id)
        return Probe(self.name, thing.id, standing, "telemetry resource", self._clock.utc(), "", last)

    def expiries(self) -> Sequence[Expiry]:
        """Nothing of this plane strands a thing when it expires."""
        return ()

    def findings(self, question: str) -> Sequence[Finding]:
        """What this plane shows for `question`."""
        row = _FINDINGS.get(question)
        if row is None:
            return ()
        control, risk = row
        evidence = f"{len(self._purposes)} declared purposes, {self.accepted} values taken since start"
        return (Finding(question, self.name, control, evidence, risk, holds=bool(self._purposes)),)

    def snapshot(self) -> Mapping[str, bytes]:
        """All chunks, for a backup."""
        growing = {chunk_key(*series, chunk.opened): chunk.encode() for series, chunk in self._open.items()}
        return {**self._records.load(), **growing}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up chunks of a backup where none is here."""
        growing = {chunk_key(*series, chunk.opened) for series, chunk in self._open.items()}
        fresh = {
            key: document
            for key, document in sorted(documents.items())
            if decode_chunk(document) and key not in growing and self._records.read(key) is None
        }
        await self._records.write(fresh)
        self._take_up(fresh.items())

    def _take_up(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Know series by their chunks on disk, given in order; what is known already is newer."""
        for (thing, name), chunks in groupby(rows, key=lambda row: split_key(row[0])[:2]):
            key, document = deque(chunks, maxlen=1)[0]
            self._latest.setdefault(thing, {}).setdefault(sys.intern(name), decode_chunk(document)[-1][1])
            self._opened = max(self._opened, split_key(key)[2])

    def _chunk(self, thing: ThingId, name: str, at: datetime) -> Chunk:
        """The chunk that a value goes into; a new one's key was never used, even if the clock went back."""
        chunk, now = self._open.get((thing, name)), microseconds(at)
        if chunk is None or chunk.is_over(now):
            self._opened = max(self._opened + 1, now)
            chunk = self._open[thing, name] = Chunk(self._opened)
        return chunk

    def _close(self, thing: ThingId, name: str) -> Chunk | None:
        """Let go of a chunk; what of it is not on disk no longer waits."""
        chunk = self._open.pop((thing, name), None)
        if chunk is not None:
            self._pending -= chunk.waiting
        return chunk

    def _chunks(self, thing: ThingId, *, after: str = "") -> Iterator[tuple[str, bytes]]:
        first = f"{after}\0" if after else ""
        return self._records.scan(f"{thing}/{first}", f"{thing}/{_LAST_KEY}")

    def _expire(self, at: datetime, changes: dict[str, bytes | None]) -> list[tuple[ThingId, str]]:
        """Add erasures of chunks over their retention, of a few things: everybody's turn comes, and no look is long.

        Returns:
            Series of which nothing is left then.
        """
        if not self._turns:
            self._turns = list(self._latest)
        turns = self._turns[-_SWEPT:]
        del self._turns[-_SWEPT:]
        emptied = []
        for thing, name in [(one, name) for one in turns for name in self._latest.get(one, ())]:
            purpose = purpose_of(name, self._purposes)
            if purpose is None:
                continue
            limit = microseconds(at - purpose.retention)
            old = [key for key, _ in self._records.scan(chunk_key(thing, name, 0), chunk_key(thing, name, limit))]
            growing = self._open.get((thing, name))
            if growing is not None and growing.opened < limit:
                self._close(thing, name)
                old.append(chunk_key(thing, name, growing.opened))
            changes.update(dict.fromkeys(old))
            if old and not any(self._records.scan(chunk_key(thing, name, limit), f"{thing}/{name}!")):
                emptied.append((thing, name))
        return emptied

    def _declared(self, known: Mapping[str, Value], values: Sequence[Record]) -> dict[str, Purpose]:
        declared = {}
        for name in {value.name for value in values}:
            purpose = purpose_of(name, self._purposes)
            if purpose is None:
                raise ForbiddenError(f"series {name[:40]!r} has no declared purpose", reason="undeclared")
            declared[name] = purpose
        if len(declared.keys() | known.keys()) > self._limits.max_series:
            raise ForbiddenError(f"a thing has at most {self._limits.max_series} series", reason="series")
        return declared

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)


def _require_fresh(values: Sequence[Record], declared: Mapping[str, Purpose], at: datetime) -> None:
    """A message that was held back verifies whenever it comes; that its values are old, they alone can say."""
    now = at.timestamp()
    for value in values:
        limit = declared[value.name].stale_after
        if limit is None:
            continue
        if not value.is_dated:
            raise ForbiddenError(f"series {value.name[:40]!r} has to say when it was measured", reason="undated")
        if abs(now - value.time) > limit.total_seconds():
            raise ForbiddenError(f"series {value.name[:40]!r} was measured at another time", reason="stale")


def _count(document: bytes) -> int:
    try:
        return len(decode_chunk(document))
    except DecodeError:
        # What cannot be read is erased like the rest.
        return 0


_FINDINGS = {
    "T2": (
        "each series declared with purpose and retention, refused otherwise",
        "a declared series can still tell too much",
    ),
    "R-09": ("telemetry of a retired thing is refused", "its history stays until erased or its retention ends"),
    "C5.9": ("export and erasure by one command each, both on the ledger", "no consent of several users yet"),
}
