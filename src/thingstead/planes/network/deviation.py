"""Packets that no rule allows, as the enforcer counts them: more of them than before are a deviation (R-80)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from thingstead.domain.network import Traffic
from thingstead.identifier import ThingId
from thingstead.planes.network.alarm import Alarm, AlarmKind

__all__ = ["Deviations"]


class Deviations:
    """Remembers each thing's counter as it last stood."""

    def __init__(self) -> None:
        self._refused: dict[ThingId, int] = {}

    @property
    def packets_refused(self) -> int:
        """Of all things, as last seen."""
        return sum(self._refused.values())

    def since(self, counters: Iterable[Traffic], at: datetime) -> tuple[Alarm, ...]:
        """Who tried more than its rules allow since the last call."""
        alarms = []
        for row in counters:
            more = row.refused - self._refused.get(row.thing, 0)
            self._refused[row.thing] = row.refused
            if more > 0:
                detail = f"{more} packets that no rule allows, {row.refused} in all"
                alarms.append(Alarm(AlarmKind.DEVIATION, row.thing, at, detail, packets=more))
        return tuple(alarms)
