"""Floor 1: the two times. Monotonic seconds for timers, UTC for validity; nobody else reads a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from thingstead.errors import ConfigError

__all__ = ["Clock", "SystemClock", "time_zone"]


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


def time_zone(name: str) -> tzinfo:
    """The clock on the wall of a place, summer time included, by its name in the tz database.

    Raises:
        ConfigError: this machine knows none of that name.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"expected a time zone such as Europe/Berlin, or UTC; {name!r} is none here") from error
