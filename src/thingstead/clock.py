"""Floor 1: the two times. Monotonic seconds for timers, UTC for validity; nobody else reads a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """What composition roots inject. `now()` never goes back and means nothing after a restart."""

    def now(self) -> float:
        """Monotonic seconds, for timers; never persisted."""
        ...

    def utc(self) -> datetime:
        """Aware UTC time, for validity; may jump."""
        ...


class SystemClock:
    """The machine's own clocks: monotonic seconds of this boot, and its wall clock in UTC."""

    now = staticmethod(time.monotonic)
    utc = staticmethod(partial(datetime.now, UTC))  # noqa: TID251  here it is read
