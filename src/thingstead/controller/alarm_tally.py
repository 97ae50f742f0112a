"""How many alarms the last day had, and the newest of them, for whoever looks at the domain for ten seconds."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.operation_ledger import newest_first
from thingstead.domain.ledger.entry import Entry, Kind
from thingstead.domain.ports import Store
from thingstead.domain.unit import Committed

__all__ = ["AlarmTally"]

_DAY = timedelta(days=1)
_MINUTE, _MINUTES = 60, 1500
"""Seconds of one, and how many are kept: a day, and a little."""


class AlarmTally:
    """Counts alarms by the minute: a day has 1440 of them, however many alarms.

    Args:
        store: the ledger's leaves; followed from here on.
        size: entries that it has now; they are read when somebody asks first.
        cut_off: how many things an alarm has cut off, and nobody let go.
        clock: for UTC.
    """

    def __init__(self, store: Store, size: int, *, cut_off: Callable[[], int], clock: Clock) -> None:
        self._store = store
        self._unread = size
        self._cut_off = cut_off
        self._clock = clock
        self._minutes: Counter[int] = Counter()
        self._newest: Entry | None = None
        self._reading = asyncio.Lock()
        store.listen(self._follow)

    async def told(self) -> dict[str, Any]:
        """The last day's alarms, who is cut off by alarms however long ago, and the command that shows more.

        Raises:
            StorageError: the ledger cannot be read.
        """
        since = self._clock.utc() - _DAY
        await self._read(since)
        self._forget(since)
        last_day, cut_off = self._minutes.total(), self._cut_off()
        newest = _shown(self._newest) if last_day and self._newest is not None else None
        following = "thingstead response list" if cut_off else "thingstead ledger show --kind alarm" if last_day else ""
        return {"last_day": last_day, "newest": newest, "cut_off": cut_off, "next": following}

    async def _read(self, since: datetime) -> None:
        async with self._reading:
            alarms = []
            async for entry in newest_first(self._store, self._unread):
                if entry.at < since:
                    break
                if entry.kind is Kind.ALARM:
                    alarms.append(entry)
            # Once, and all or nothing: who asks may be gone before it is read.
            self._unread = 0
            for entry in alarms:
                self._take(entry)

    def _follow(self, committed: Committed) -> None:
        for entry in committed.entries:
            if entry.kind is Kind.ALARM:
                self._take(entry)
        if len(self._minutes) > _MINUTES:
            self._forget(self._clock.utc() - _DAY)

    def _take(self, alarm: Entry) -> None:
        self._minutes[_minute(alarm.at)] += 1
        if self._newest is None or self._newest.index < alarm.index:
            self._newest = alarm

    def _forget(self, since: datetime) -> None:
        for minute in [one for one in self._minutes if one < _minute(since)]:
            del self._minutes[minute]


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // _MINUTE


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at,
        "thing": entry.thing,
        "cause": entry.cause,
        "actor": entry.actor,
        "explanation": entry.details.get("explanation") or "",
    }
