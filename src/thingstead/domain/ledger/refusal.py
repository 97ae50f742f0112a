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
        max_rows: distinct rows per minute of things, and as many of strangers, so that no flood of these hides what one
            of those did; what comes beyond is counted together per reason.
    """

    max_rows: int = 256


_Row = tuple[datetime, ThingId | None, str, str]


class RefusalCounter:
    """Counts between two calls of `due`; the ledger grows by rows, never by messages."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._of_things: dict[_Row, int] = {}
        self._of_strangers: dict[_Row, int] = {}

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
        row: _Row = (minute, thing, "" if thing else source, reason)
        rows = self._of_things if thing else self._of_strangers
        if row not in rows and len(rows) >= self._limits.max_rows:
            row = (minute, None, "others", reason)
        rows[row] = rows.get(row, 0) + times

    def due(self, at: datetime) -> tuple[Draft, ...]:
        """The entries of all minutes that have ended by `at`; they are forgotten here, and must be committed."""
        both = (self._of_things, self._of_strangers)
        ended = [(rows, row) for rows in both for row in rows if row[0] + _MINUTE <= at]
        return tuple([self._draft(row, rows.pop(row)) for rows, row in ended])

    def _draft(self, row: _Row, count: int) -> Draft:
        minute, thing, source, reason = row
        return Draft(minute, Kind.REFUSAL, source or "thing", thing, reason, {"count": count})


_MINUTE = timedelta(minutes=1)
