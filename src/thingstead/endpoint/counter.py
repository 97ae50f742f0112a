"""Counting what was refused, and refusing at a bounded rate."""

from __future__ import annotations

from collections.abc import Hashable

__all__ = ["Counters", "RateLimit", "RateLimits"]


class Counters:
    """Refused and odd messages by reason, and by source as far as there is room.

    Attributes:
        by_reason: reason -> count; the reasons are those of the errors and a few words of our own.
        by_source: source -> count; the source that was refused longest ago gives way.
    """

    __slots__ = ("_max_sources", "by_reason", "by_source")

    def __init__(self, *, max_sources: int) -> None:
        self.by_reason: dict[str, int] = {}
        self.by_source: dict[Hashable, int] = {}
        self._max_sources = max_sources

    def count(self, reason: str, source: Hashable) -> None:
        """Count one message."""
        self.by_reason[reason] = self.by_reason.get(reason, 0) + 1
        before = self.by_source.pop(source, 0)
        if not before and len(self.by_source) >= self._max_sources:
            del self.by_source[next(iter(self.by_source))]
        self.by_source[source] = before + 1


class RateLimit:
    """So many a second on average, and `burst` at once; twice the rate unless that is said."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, *, burst: float | None = None) -> None:
        self._rate = rate
        self._burst = self._left = 2 * rate if burst is None else burst
        self._at = 0.0

    def allow(self, now: float) -> bool:
        """Whether one more is within the rate; it is counted when it is."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class RateLimits:
    """A `RateLimit` for each name, as far as there is room; the name that was counted longest ago gives way."""

    __slots__ = ("_burst", "_limits", "_max_names", "_rate")

    def __init__(self, rate: float, *, max_names: int, burst: float | None = None) -> None:
        self._rate = rate
        self._burst = burst
        self._max_names = max_names
        self._limits: dict[Hashable, RateLimit] = {}

    def __len__(self) -> int:
        return len(self._limits)

    def allow(self, name: Hashable, now: float) -> bool:
        """Whether one more of this name is within the rate; it is counted when it is."""
        limit = self._limits.pop(name, None) or RateLimit(self._rate, burst=self._burst)
        if len(self._limits) >= self._max_names:
            del self._limits[next(iter(self._limits))]
        self._limits[name] = limit
        return limit.allow(now)
