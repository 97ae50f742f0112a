"""The data plane: telemetry comes in under a declared purpose, is kept for its time, and can be shown and erased."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from thingstead.clock import Clock
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt, Standing
from thingstead.domain.ports import Records
from thingstead.domain.purpose import Purpose, purpose_of
from thingstead.domain.thing import Thing
from thingstead.errors import ForbiddenError
from thingstead.identifier import ThingId, TransitionId, thing_id
from thingstead.planes.data.series import Series
from thingstead.protocols.senml import pack
from thingstead.protocols.senml.record import Record

__all__ = ["Collector", "ErasureReceipt", "Limits"]

_ACTOR = "plane:data"


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


class Collector:
    """Takes SenML from the things it was told to admit, and writes in batches: the last second may be lost.

    Args:
        records: the plane's documents, one per thing, series and chunk.
        purposes: declared series; what is not declared is refused, not dropped silently (R-14).
        clock: for UTC.
        limits: bounds.
    """

    name = PlaneName.DATA

    def __init__(
        self, records: Records, *, purposes: tuple[Purpose, ...], clock: Clock, limits: Limits | None = None
    ) -> None:
        self._records = records
        self._purposes = purposes
        self._clock = clock
        self._limits = limits or Limits()
        self._series: dict[ThingId, dict[str, Series]] = {}
        self._admitted: set[ThingId] = set()
        self._last_acceptance: dict[ThingId, datetime] = {}
        self._pending = 0
        self.accepted = 0
        for key, document in records.load().items():
            owner, name, index = _split(key)
            self._of(owner).setdefault(name, Series()).load(index, document)

    def resume(self, admitted: Iterator[ThingId]) -> None:
        """Go on accepting from the things that were admitted before a restart."""
        self._admitted.update(admitted)

    def accepts(self, thing: ThingId) -> bool:
        """Whether telemetry of `thing` would be taken now."""
        return thing in self._admitted

    def collect(self, thing: ThingId, senml: bytes) -> int:
        """Take one SenML-CBOR pack; all of it or nothing. Returns the number of values.

        Raises:
            ForbiddenError: the thing is not admitted here, or a series was never declared.
            DecodeError: not SenML-CBOR.
        """
        at = self._clock.utc()
        if not self.accepts(thing):
            raise ForbiddenError(f"telemetry of {thing} is not wanted now", reason="data-plane")
        known = self._of(thing)
        values = pack.parse_cbor(senml, at=at)
        self._require_declared(known, values)
        if self._pending + len(values) > self._limits.max_pending:
            raise ForbiddenError("telemetry waits to be written; none is taken until it is", reason="busy")
        for value in values:
            known.setdefault(value.name, Series()).append(value)
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
        taken: list[tuple[Series, list[int]]] = []
        for thing, known in self._series.items():
            for name, series in known.items():
                purpose = purpose_of(name, self._purposes)
                if purpose is not None:
                    series.drop_before((at - purpose.retention).timestamp())
                chunks = series.take_changes()
                if chunks:
                    taken.append((series, [chunk.index for chunk in chunks]))
                    changes.update({_key(thing, name, chunk.index): chunk.document for chunk in chunks})
        waiting, self._pending = self._pending, 0
        if not changes:
            return
        try:
            await self._records.write(changes)
        except BaseException:
            for series, indices in taken:
                series.note_changed(indices)
            self._pending += waiting
            raise

    def latest(self, thing: ThingId) -> dict[str, float | bool | str]:
        """The newest value of each series."""
        return {name: series.latest for name, series in self._of(thing).items() if series.latest is not None}

    def things(self) -> tuple[ThingId, ...]:
        """Those of whom anything is kept."""
        return tuple([thing for thing, known in self._series.items() if known])

    async def export(self, thing: ThingId, *, actor: str) -> str:
        """Everything kept of one thing as SenML-JSON; the disclosure is on the ledger before this returns."""
        records = [
            Record(name=f"{thing}/{name}", time=time, value=value)
            for name, series in sorted(self._of(thing).items())
            for time, value in series.values()
        ]
        draft = Draft(self._clock.utc(), Kind.DISCLOSURE, actor, thing, "export", {"values": len(records)})
        await self._records.write({}, entries=[draft])
        return pack.render_json(records) if records else "[]"

    async def erase(self, thing: ThingId, *, actor: str) -> ErasureReceipt:
        """Erase everything kept of one thing, on disk and in memory; the ledger keeps that, and not what."""
        known = self._series.pop(thing, {})
        at = self._clock.utc()
        values = sum(len(list(series.values())) for series in known.values())
        changes: dict[str, bytes | None] = {
            _key(thing, name, index): None for name, series in known.items() for index in series.indices()
        }
        draft = Draft(at, Kind.ERASURE, actor, thing, "erasure", {"series": len(known), "values": values})
        try:
            await self._records.write(changes, entries=[draft])
        except BaseException:
            # What is still on disk must be known here, or the next attempt would erase nothing and say so.
            self._series[thing] = {**known, **self._series.get(thing, {})}
            raise
        return ErasureReceipt(thing, at, len(known), values)

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
        return {
            _key(thing, name, chunk.index): chunk.document
            for thing, known in self._series.items()
            for name, series in known.items()
            for chunk in series.chunks()
            if chunk.document is not None
        }

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up chunks of a backup where none is here."""
        fresh: dict[str, bytes | None] = {}
        for key, document in documents.items():
            owner, name, index = _split(key)
            series = self._of(owner).setdefault(name, Series())
            if index not in series.indices():
                series.load(index, document)
                fresh[key] = document
        await self._records.write(fresh)

    def _of(self, thing: ThingId) -> dict[str, Series]:
        return self._series.setdefault(thing, {})

    def _require_declared(self, known: Mapping[str, Series], values: Sequence[Record]) -> None:
        names = {value.name for value in values}
        for name in names:
            if purpose_of(name, self._purposes) is None:
                raise ForbiddenError(f"series {name[:40]!r} has no declared purpose", reason="undeclared")
        if len(names | known.keys()) > self._limits.max_series:
            raise ForbiddenError(f"a thing has at most {self._limits.max_series} series", reason="series")

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)


def _key(thing: ThingId, name: str, index: int) -> str:
    return f"{thing}/{index:08d}/{name}"


def _split(key: str) -> tuple[ThingId, str, int]:
    owner, index, name = key.split("/", 2)
    return thing_id(owner), name, int(index)


_FINDINGS = {
    "T2": (
        "each series declared with purpose and retention, refused otherwise",
        "a declared series can still tell too much",
    ),
    "R-09": ("telemetry of a retired thing is refused", "its history stays until erased or its retention ends"),
    "C5.9": ("export and erasure by one command each, both on the ledger", "no consent of several users yet"),
}
