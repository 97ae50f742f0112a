"""The data plane: telemetry comes in under a declared purpose, is kept for its time, and can be shown and erased."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from thingstead.clock import Clock
from thingstead.domain.crypto_asset import CryptoAsset
from thingstead.domain.instant import microseconds
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt
from thingstead.domain.ports import Archive
from thingstead.domain.purpose import Purpose, purpose_of
from thingstead.domain.thing import Thing
from thingstead.errors import DecodeError
from thingstead.identifier import ThingId, TransitionId
from thingstead.planes.data.gate import Gate, Limits
from thingstead.planes.data.series import Chunk, Value, chunk_key, decode_chunk, kept, split_key
from thingstead.protocols.senml import pack
from thingstead.protocols.senml.record import Record

__all__ = ["Collector", "ErasureReceipt", "ExportPage", "Sent"]

Sent = tuple[ThingId, str, float, Value]
"""A value on its way to be kept: whose, of which series, when, what."""

_SWEPT = 32
_LAST_KEY = "~"
_PAGE = 128 << 10
"""Bytes on disk after which a page of an export ends: some thousand values."""


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
        self._gate = Gate(purposes=purposes, clock=clock, limits=limits)
        self._clock = clock
        self._open: dict[tuple[ThingId, str], Chunk] = {}
        self._latest: dict[ThingId, dict[str, Value]] = {}
        self._opened = 0
        self._turns: list[ThingId] = []
        self._take_up(records.scan("", _LAST_KEY))

    async def resume(self, admitted: Iterable[ThingId]) -> None:
        """Go on accepting from the things that were admitted before a restart."""
        self._gate.admit(admitted)

    def accepts(self, thing: ThingId) -> bool:
        """Whether telemetry of `thing` would be taken now."""
        return self._gate.accepts(thing)

    @property
    def accepted(self) -> int:
        """Values taken since the start."""
        return self._gate.accepted

    def collect(self, thing: ThingId, senml: bytes) -> int:
        """Take one SenML-CBOR pack; all of it or nothing. Returns the number of values; errors as for `Gate.read`."""
        values = self._gate.read(thing, senml)
        self._take(thing, [(value.name, value.time, kept(value)) for value in values])
        return len(values)

    def keep(self, values: Iterable[Sent]) -> int:
        """Take what another process let in, of things and series that are taken here; returns how many were not."""
        refused = 0
        for thing, name, time, value in values:
            if self.accepts(thing) and purpose_of(name, self.purposes) is not None:
                self._take(thing, [(name, time, value)])
            else:
                refused += 1
        return refused

    async def flush(self, *, beside: Mapping[str, bytes] | None = None) -> tuple[tuple[ThingId, str], ...]:
        """Write what came since the last flush, and drop what is over its retention; call about once a second.

        Args:
            beside: documents that stand and fall with it.

        Returns:
            Series of which nothing is left.

        Raises:
            StorageError: the disk did not take it; the next flush writes it again, and what waits still counts.
        """
        at = self._clock.utc()
        changes: dict[str, bytes | None] = dict(beside or {})
        emptied = self._expire(at, changes)
        taken = [(series, chunk, len(chunk.values)) for series, chunk in self._open.items() if chunk.waiting]
        changes.update({chunk_key(*series, chunk.opened): chunk.encode() for series, chunk, _ in taken})
        if changes:
            await self._records.write(changes)
        for series, chunk, count in taken:
            if self._open.get(series) is chunk and count > chunk.written:
                self._gate.settle(count - chunk.written)
                chunk.written = count
        now = microseconds(at)
        for series in [series for series, chunk in self._open.items() if chunk.is_over(now)]:
            del self._open[series]
        over = tuple([series for series in emptied if series not in self._open])
        for thing, name in over:
            self._latest.get(thing, {}).pop(name, None)
            self._gate.forget(thing, name)
        return over

    def latest(self, thing: ThingId) -> dict[str, Value]:
        """The newest value of each series."""
        return dict(self._latest.get(thing, {}))

    def everything(self) -> dict[ThingId, dict[str, Value]]:
        """The same of every thing of which anything is kept."""
        return {thing: dict(values) for thing, values in self._latest.items() if values}

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """What may be collected."""
        return self._gate.purposes

    def interval(self, thing: ThingId) -> timedelta | None:
        """The longest time that `thing` leaves between two packs when all is well; None where no series of it says."""
        return self._gate.interval(thing)

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
        self._gate.forget(thing)
        self._gate.know(thing, self._latest.get(thing, ()))
        return ErasureReceipt(thing, at, len(latest), values)

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Take telemetry from now on."""
        self._gate.admit([thing.id])
        return self._receipt(thing, Demand.ADMIT, transition_id, "telemetry taken")

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Take none; what is kept stays."""
        self._gate.bar(thing.id)
        return self._receipt(thing, Demand.RESTRICT, transition_id, "telemetry refused, history kept")

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Take none ever; history stays with this owner until its retention ends or it is erased."""
        self._gate.bar(thing.id)
        return self._receipt(thing, Demand.WITHDRAW, transition_id, "telemetry refused, history stays here")

    async def probe(self, thing: Thing) -> Probe:
        """Ask the collector, as its resource does, whether it would take a value."""
        return self._gate.probe(thing.id)

    def expiries(self) -> Sequence[Expiry]:
        """Nothing of this plane strands a thing when it expires."""
        return ()

    def assets(self) -> Sequence[CryptoAsset]:
        """Nothing: what is kept is kept in the clear, on the domain's own disk."""
        return ()

    def findings(self, question: str) -> Sequence[Finding]:
        """What this plane shows for `question`."""
        return self._gate.findings(question)

    def snapshot(self) -> Mapping[str, bytes]:
        """All chunks, for a backup."""
        growing = {chunk_key(*series, chunk.opened): chunk.encode() for series, chunk in self._open.items()}
        return {**dict(self._records.scan("", _LAST_KEY)), **growing}

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
            self._gate.know(thing, [name])

    def _take(self, thing: ThingId, values: Iterable[tuple[str, float, Value]]) -> None:
        at = self._clock.utc()
        for series, time, value in values:
            name = sys.intern(series)
            self._chunk(thing, name, at).values.append((time, value))
            self._latest.setdefault(thing, {})[name] = value

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
            self._gate.settle(chunk.waiting)
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
            purpose = purpose_of(name, self.purposes)
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

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)


def _count(document: bytes) -> int:
    try:
        return len(decode_chunk(document))
    except DecodeError:
        # What cannot be read is erased like the rest.
        return 0
