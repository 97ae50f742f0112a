"""Refused messages, counted: one entry per thing or source, reason and minute, however many came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.identifier import ThingId

__all__ = ["Limits", "RefusalCounter"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what strangers may make us remember.

    Attributes:
        max_rows: distinct rows per minute; what comes beyond is counted together per reason.
    """

    max_rows: int = 256


class RefusalCounter:
    """Counts between two calls of `due`; the ledger grows by rows, never by messages."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._rows: dict[tuple[datetime, ThingId | None, str, str], int] = {}

    def count(
        self, reason: str, *, at: datetime, thing: ThingId | None = None, source: str = "", times: int = 1
    ) -> None:
        """Count a refusal.

        Args:
            reason: ``ThingsteadError.reason``, a slug; never a peer's own words.
            at: when.
            thing: whose message it was, once that is authenticated.
            source: where an unauthenticated message came from, e.g. its address.
            times: how many there were.
        """
        minute = at.replace(second=0, microsecond=0)
        row = (minute, thing, "" if thing else source, reason)
        if row not in self._rows and len(self._rows) >= self._limits.max_rows:
            row = (minute, None, "others", reason)
        self._rows[row] = self._rows.get(row, 0) + times

    def due(self, at: datetime) -> tuple[Draft, ...]:
        """The entries of all minutes that have ended by `at`; they are forgotten here, and must be committed."""
        ended = [row for row in self._rows if row[0] + _MINUTE <= at]
        return tuple([self._draft(row, self._rows.pop(row)) for row in ended])

    def _draft(self, row: tuple[datetime, ThingId | None, str, str], count: int) -> Draft:
        minute, thing, source, reason = row
        return Draft(minute, Kind.REFUSAL, source or "thing", thing, reason, {"count": count})


_MINUTE = timedelta(minutes=1)
