"""What telemetry is let in: asked per message where messages come in, whoever keeps the values then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from thingstead.clock import Clock
from thingstead.domain.plane import Finding, PlaneName, Probe, Standing
from thingstead.domain.purpose import Purpose, purpose_of
from thingstead.errors import ForbiddenError
from thingstead.identifier import ThingId
from thingstead.protocols.senml import pack
from thingstead.protocols.senml.record import Record

__all__ = ["Gate", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is kept.

    Attributes:
        max_series: series of one thing.
        max_pending: values accepted and not yet written, over all things; beyond it telemetry is refused.
    """

    max_series: int = 64
    max_pending: int = 100_000


class Gate:
    """Lets SenML in from the things that it was told to admit, of declared series alone.

    Args:
        purposes: declared series; what is not declared is refused, not dropped silently (R-14).
        clock: for UTC.
        limits: bounds.

    Attributes:
        accepted: values let in since the start.
    """

    def __init__(self, *, purposes: tuple[Purpose, ...], clock: Clock, limits: Limits | None = None) -> None:
        self.purposes = purposes
        self._clock = clock
        self._limits = limits or Limits()
        self._admitted: set[ThingId] = set()
        self._series: dict[ThingId, set[str]] = {}
        self._last_acceptance: dict[ThingId, datetime] = {}
        self._pending = 0
        self.accepted = 0

    def admit(self, things: Iterable[ThingId]) -> None:
        """Let telemetry of these in from now on."""
        self._admitted.update(things)

    def bar(self, thing: ThingId) -> None:
        """Let none in."""
        self._admitted.discard(thing)

    def accepts(self, thing: ThingId) -> bool:
        """Whether telemetry of `thing` would be taken now."""
        return thing in self._admitted

    def read(self, thing: ThingId, senml: bytes) -> Sequence[Record]:
        """Let one SenML-CBOR pack in; all of it or nothing.

        Raises:
            ForbiddenError: the thing is not admitted here, a series was never declared, or a value of one that must
                say when it was measured does not, or is older or newer than it may be.
            DecodeError: not SenML-CBOR.
        """
        at = self._clock.utc()
        if not self.accepts(thing):
            raise ForbiddenError(f"telemetry of {thing} is not wanted now", reason="data-plane")
        values = pack.parse_cbor(senml, at=at)
        names = {value.name for value in values}
        self._require_fresh(values, {name: self.require_declared(name) for name in names}, at)
        known = self._series.get(thing, set())
        if len(names | known) > self._limits.max_series:
            raise ForbiddenError(f"a thing has at most {self._limits.max_series} series", reason="series")
        if self._pending + len(values) > self._limits.max_pending:
            raise ForbiddenError("telemetry waits to be written; none is taken until it is", reason="busy")
        self._series.setdefault(thing, set()).update(names)
        self._pending += len(values)
        self.accepted += len(values)
        self._last_acceptance[thing] = at
        return values

    def require_declared(self, name: str) -> Purpose:
        """What a series is for.

        Raises:
            ForbiddenError: nobody said.
        """
        purpose = purpose_of(name, self.purposes)
        if purpose is None:
            raise ForbiddenError(f"series {name[:40]!r} has no declared purpose", reason="undeclared")
        return purpose

    def settle(self, values: int) -> None:
        """So many wait no longer: they are on disk, or erased."""
        self._pending -= values

    def know(self, thing: ThingId, names: Iterable[str]) -> None:
        """Series that a thing has."""
        self._series.setdefault(thing, set()).update(names)

    def forget(self, thing: ThingId, name: str | None = None) -> None:
        """A series that is over, or all of a thing."""
        if name is None:
            self._series.pop(thing, None)
        else:
            self._series.get(thing, set()).discard(name)

    def interval(self, thing: ThingId) -> timedelta | None:
        """The longest time that `thing` leaves between two packs when all is well; None where no series of it says."""
        declared = [purpose_of(name, self.purposes) for name in self._series.get(thing, ())]
        return min([one.every for one in declared if one is not None and one.every is not None], default=None)

    def probe(self, thing: ThingId) -> Probe:
        """Whether it would take a value, as its resource asks."""
        standing = Standing.ACCEPTED if self.accepts(thing) else Standing.REFUSED
        last = self._last_acceptance.get(thing)
        return Probe(PlaneName.DATA, thing, standing, "telemetry resource", self._clock.utc(), "", last)

    def findings(self, question: str) -> Sequence[Finding]:
        """What it shows for `question`."""
        row = _FINDINGS.get(question)
        if row is None:
            return ()
        control, risk = row
        evidence = f"{len(self.purposes)} declared purposes, {self.accepted} values taken since start"
        return (Finding(question, PlaneName.DATA, control, evidence, risk, holds=bool(self.purposes)),)

    def _require_fresh(self, values: Sequence[Record], declared: dict[str, Purpose], at: datetime) -> None:
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


_FINDINGS = {
    "T2": (
        "each series declared with purpose and retention, refused otherwise",
        "a declared series can still tell too much",
    ),
    "R-09": ("telemetry of a retired thing is refused", "its history stays until erased or its retention ends"),
    "C5.9": ("export and erasure by one command each, both on the ledger", "no consent of several users yet"),
}
