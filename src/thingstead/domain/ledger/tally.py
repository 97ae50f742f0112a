"""What a ledger holds, counted: a fold over its entries, as small as the kinds and reasons are few."""

from __future__ import annotations

from collections import Counter

from thingstead.domain.ledger.entry import Entry, Kind
from thingstead.domain.lifecycle import TRANSITIONS, Restriction
from thingstead.domain.role import Role

__all__ = ["Tally"]

_MILLISECOND = 1000


class Tally:
    """Counts of everything up to the entry that was taken last; entries come in their order.

    Attributes:
        size: entries taken.
        by_kind: entries of each kind.
        newest: index of the newest entry of each kind.
        happened: entries by kind and cause, where the causes are ours alone.
        restricted: things held or cut off, by the part of the domain that did it; not by people.
        wiped: transitions that hold a thing's receipt of its wipe.
        refusals: refused messages by reason, summed over their entries.
        verdicts: join decisions by verdict.
        maintained: orders of maintenance by where they were given.
        slowest_kill: milliseconds of the slowest plane over all kill clocks; None while there is none.
        unfinished_kills: planes that still accepted at a deadline, or that nobody enforces.
        undeclared: transitions that the table of the lifecycle does not have.
    """

    __slots__ = (
        "by_kind",
        "happened",
        "maintained",
        "newest",
        "refusals",
        "restricted",
        "size",
        "slowest_kill",
        "undeclared",
        "unfinished_kills",
        "verdicts",
        "wiped",
    )

    def __init__(self) -> None:
        self.size = 0
        self.by_kind: Counter[Kind] = Counter()
        self.newest: dict[Kind, int] = {}
        self.happened: Counter[tuple[Kind, str]] = Counter()
        self.restricted: Counter[str] = Counter()
        self.wiped = 0
        self.refusals: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.maintained: Counter[str] = Counter()
        self.slowest_kill: float | None = None
        self.unfinished_kills = 0
        self.undeclared = 0

    def take(self, entry: Entry) -> None:
        """Count one entry."""
        self.size = entry.index + 1
        self.by_kind[entry.kind] += 1
        self.newest[entry.kind] = entry.index
        if entry.kind in _OURS:
            self.happened[entry.kind, entry.cause] += 1
        if entry.kind is Kind.REFUSAL:
            count = entry.details.get("count")
            self.refusals[entry.cause] += count if isinstance(count, int) else 1
        elif entry.kind is Kind.RESTRICTION and entry.details.get("to") != Restriction.NONE:
            self._take_restriction(entry)
        elif entry.kind is Kind.TRANSITION:
            self.wiped += isinstance(entry.details.get("wipe_receipt"), bytes)
            self.undeclared += (entry.details.get("from"), entry.cause, entry.details.get("to")) not in _DECLARED
        elif entry.kind is Kind.AUTHORIZATION:
            self.verdicts[entry.cause] += 1
        elif entry.kind is Kind.MAINTENANCE:
            self.maintained[str(entry.details.get("where"))] += 1
        elif entry.kind is Kind.KILL_CLOCK:
            self._take_kill(entry)

    def _take_restriction(self, entry: Entry) -> None:
        if entry.actor.partition(":")[0] not in _PEOPLE:
            self.restricted[entry.actor] += 1
            self.happened[entry.kind, entry.cause] += 1

    def _take_kill(self, entry: Entry) -> None:
        for microseconds in entry.details.values():
            if microseconds is None:
                self.unfinished_kills += 1
            elif isinstance(microseconds, int):
                self.slowest_kill = max(self.slowest_kill or 0.0, microseconds / _MILLISECOND)


_PEOPLE = frozenset({*[role.value for role in Role], "operator"})
_OURS = frozenset(
    {
        Kind.TRANSITION,
        Kind.AUTHENTICATION,
        Kind.CONFIGURATION,
        Kind.ALARM,
        Kind.APPRAISAL,
        Kind.INSTALLATION,
        Kind.NETWORK_POLICY,
    }
)
_DECLARED = frozenset((state.value, cause.value, to.value) for (state, cause), to in TRANSITIONS.items())
