"""The calendar: everything that will expire, whom it strands, and the last day on which acting still helps (R-74)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from thingstead.domain.plane import Expiry, PlaneName
from thingstead.identifier import ThingId

__all__ = ["NOTICE", "Due", "Urgency", "calendar"]


class Urgency(StrEnum):
    """What a date means today."""

    EXPIRED = "expired"
    LATE = "last safe day is over"
    SOON = "act now"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Due:
    """What expires on one day, for all things it is the same for.

    Attributes:
        plane: whose matter it is.
        what: what expires.
        at: the first of them, in UTC.
        last_safe_day: until the end of it, acting still reaches every thing in time.
        urgency: as of today.
        is_renewed: it is renewed without anybody, and the time for that is still to come.
        strands: the things that stop working then.
    """

    plane: PlaneName
    what: str
    at: datetime
    last_safe_day: date
    urgency: Urgency
    is_renewed: bool
    strands: tuple[ThingId, ...]

    def fails(self, at: datetime, within: timedelta) -> bool:
        """Whether somebody has to act and waited too long, or `within` is all that is left."""
        return not self.is_renewed and (self.at <= at + within or self.last_safe_day < at.date())


NOTICE: dict[PlaneName, timedelta] = {
    PlaneName.IDENTITY: timedelta(days=30),
    PlaneName.ACCESS: timedelta(days=14),
    PlaneName.GROUPS: timedelta(days=2),
    PlaneName.SOFTWARE: timedelta(days=30),
    PlaneName.NETWORK: timedelta(days=2),
    PlaneName.DATA: timedelta(days=2),
}
"""How long before an end somebody has to act.

Credentials: 30 days, for without one no update comes (R-74). Tokens: a new join of things that may be off for a week,
twice. What is renewed without anybody has none: only what let the time for that pass needs somebody. Groups: a rekey
that sleepers catch up with. Software: 30 days, for a release has to be made, signed and carried. Network: a file that
its maker has to put back on its server.
"""

_DAY = timedelta(days=1)


def calendar(expiries: Iterable[Expiry], *, at: datetime, horizon: timedelta | None = None) -> tuple[Due, ...]:
    """What expires, soonest to act on first.

    Args:
        expiries: of all planes.
        at: today.
        horizon: leave out what need not be acted on within it.
    """
    together: dict[tuple[PlaneName, str, date], list[Expiry]] = {}
    for expiry in expiries:
        together.setdefault((expiry.plane, expiry.what, expiry.at.date()), []).append(expiry)
    rows = [_due(group, at) for group in together.values()]
    if horizon is not None:
        rows = [row for row in rows if row.last_safe_day <= (at + horizon).date()]
    return tuple(sorted(rows, key=lambda row: (row.last_safe_day, row.at, row.plane, row.what)))


def _due(group: list[Expiry], at: datetime) -> Due:
    first = min(expiry.at for expiry in group)
    plane = group[0].plane
    # The end of the last safe day must lie before the notice begins, hence one day less.
    renewal = min((expiry.renewal for expiry in group if expiry.renewal is not None), default=None)
    notice = NOTICE[plane] if renewal is None else timedelta()
    last_safe_day = (first - notice - _DAY).date()
    strands = dict.fromkeys(thing for expiry in group for thing in expiry.strands)
    is_renewed = renewal is not None and at < renewal
    warning = max((expiry.warning for expiry in group if expiry.warning is not None), default=timedelta())
    told_from = min(first - warning, datetime.combine(last_safe_day - _SOON, time(), tzinfo=first.tzinfo))
    urgency = Urgency.LATER if is_renewed else _urgency(first, last_safe_day, told_from, at)
    return Due(plane, group[0].what, first, last_safe_day, urgency, is_renewed, tuple(strands))


def _urgency(first: datetime, last_safe_day: date, told_from: datetime, at: datetime) -> Urgency:
    if first <= at:
        return Urgency.EXPIRED
    if last_safe_day < at.date():
        return Urgency.LATE
    if told_from <= at:
        return Urgency.SOON
    return Urgency.LATER


_SOON = timedelta(days=7)
