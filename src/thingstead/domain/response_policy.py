"""What a detection may have done by itself: which cuts a thing off, and how many things at one time, never all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

__all__ = ["Extent", "ResponsePolicy", "Severity"]


class Severity(StrEnum):
    """How much of an attack a detection is, the least first."""

    NOTICE = "notice"
    """A weakness that shows: somebody should mend it."""
    INCIDENT = "incident"
    """Something is lost or overloaded; nobody need be at fault."""
    ALARM = "alarm"
    """An attack, or a thing that works for somebody else."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How far responses have gone already.

    Attributes:
        cut: things that responses hold cut off now.
        of: things there are.
    """

    cut: int
    of: int


@dataclass(frozen=True, slots=True)
class ResponsePolicy:
    """The owner's part on alarms. A detector can be wrong, and who can make it wrong must not switch a site off.

    Attributes:
        quarantine_from: the least bad detection that cuts a thing off; None for none ever.
        never: patterns of detectors whose word cuts nobody off.
        share: of the things of a zone, and of the domain, that responses may hold cut off at one time; one always may.
        per_hour: responses begun within an hour.
        rest: after somebody has let a thing go again, the same detector's word does not cut it off for so long.
        lift: after which a thing is let go by itself, to be cut off again at the next word; None for never.
    """

    quarantine_from: Severity | None = Severity.ALARM
    never: tuple[str, ...] = ()
    share: float = 0.25
    per_hour: int = 10
    rest: timedelta = timedelta(hours=24)
    lift: timedelta | None = None

    def is_over(self, lasted: timedelta) -> bool:
        """Whether a thing that was cut off for so long is let go by itself."""
        return self.lift is not None and lasted >= self.lift

    def objection(self, detector: str, severity: Severity) -> str:
        """Why a detection cuts nobody off, whoever it is about; empty where it does."""
        if self.quarantine_from is None:
            return "[response] quarantine_from says never"
        if _ORDER.index(severity) < _ORDER.index(self.quarantine_from):
            return f"{severity} is less than [response] quarantine_from"
        pattern = next((one for one in self.never if fnmatchcase(detector, one)), None)
        return "" if pattern is None else f"[response] never names {pattern}"

    def bound(self, *, zone: Extent, domain: Extent, begun: int) -> str:
        """Why one thing more may not be cut off now; empty where it may.

        Args:
            zone: of the thing's zone.
            domain: of all.
            begun: responses within the last hour.
        """
        if begun >= self.per_hour:
            return f"{begun} things were cut off within an hour, and [response] per_hour is {self.per_hour}"
        for name, extent in (("its zone", zone), ("the domain", domain)):
            if extent.cut >= max(1, int(extent.of * self.share)):
                return f"{extent.cut} of the {extent.of} things of {name} are cut off by responses already"
        return ""


_ORDER = tuple(Severity)
