"""The live figures of a domain, counted at one instant, from which evidence is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from thingstead.domain.ledger.entry import Kind
from thingstead.domain.ledger.tally import Tally
from thingstead.domain.plane import OBLIGATIONS, Demand, PlaneName
from thingstead.domain.thing import Thing
from thingstead.identifier import ThingId

__all__ = ["Figures", "Row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was counted at one instant.

    Attributes:
        at: the instant.
        things: every record.
        live: things with a live association.
        owed: demands that planes have not met yet.
        tally: the ledger, counted.
        sealed: entries under the head kept outside, after comparing it; None when it does not hold.
        half_open: handshakes that wait for message_3.
        max_half_open: and how many may.
        refused: requests refused since start, by reason.
        dropped: messages that reached no resource since start, by reason.
        paths: paths that are served.
        public: those that answer anyone.
        expiries: dates that the planes watch.
        idle: planes that enforce nothing: theirs are rules on paper.
        is_offline: the domain was told to ask no resolver for names outside.
        assets: what holds because of an algorithm, by whether a quantum computer undoes that.
        hybrid: associations whose keys come of ECDH and ML-KEM together.
        forgotten: what is silent, unsupported or unmanaged now, by which of them.
    """

    at: datetime
    things: tuple[Thing, ...]
    live: frozenset[ThingId]
    owed: int
    tally: Tally
    sealed: int | None
    half_open: int
    max_half_open: int
    refused: Mapping[str, int]
    dropped: Mapping[str, int]
    paths: tuple[str, ...]
    public: tuple[str, ...]
    expiries: int
    idle: tuple[PlaneName, ...]
    is_offline: bool
    forgotten: Mapping[str, int]
    assets: Mapping[bool, int] = field(default_factory=dict)
    hybrid: int = 0

    def entries(self, kind: Kind) -> int:
        """Entries of one kind on the ledger."""
        return self.tally.by_kind[kind]

    def happened(self, kind: Kind, cause: str) -> int:
        """Entries of one kind with one cause."""
        return self.tally.happened[kind, str(cause)]

    def turned_away(self, *reasons: str) -> int:
        """Messages refused for these reasons, at a resource or before one, since start."""
        return sum(self.refused.get(reason, 0) + self.dropped.get(reason, 0) for reason in reasons)

    def owing(self, demand: Demand | None) -> tuple[Thing, ...]:
        """Things of which their state asks `demand` on the access plane."""
        return tuple(
            [one for one in self.things if OBLIGATIONS[one.state, one.restriction][PlaneName.ACCESS] is demand]
        )


Row = tuple[str, str, Callable[[Figures], tuple[str, bool]], str]
"""Question, control, what was seen and whether it holds, remaining risk."""
