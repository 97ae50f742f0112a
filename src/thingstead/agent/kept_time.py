"""What time it is, as far as a thing can know: no earlier than what it has been shown, and by its clock if it has one.

What was signed at some time shows that this time has been. So a date that lies before it has passed for certain; of one
that lies behind it nothing is known, since nobody counted while the thing was off.

Clocks fail, and more so over years: one whose battery is empty begins anew in the past, and then what was shown counts;
one that runs ahead calls everything over. What its domain says in a handshake, in which it has proven itself, is newer
than both, and whose word a thing takes for everything else, it takes for the time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["KeptTime"]

_NEVER = datetime.fromtimestamp(0, UTC)
_TOLERANCE = timedelta(minutes=10)


class KeptTime:
    """A lower bound of UTC, and UTC where a clock knows it.

    Args:
        now: monotonic seconds.
        clock: says UTC; None for a thing without.
    """

    def __init__(self, now: Callable[[], float], clock: Callable[[], datetime] | None = None) -> None:
        self._now = now
        self._clock = clock
        self._is_ahead = False
        self._shown = _NEVER
        self._since = now()

    def utc(self) -> datetime:
        """No earlier than this it is."""
        if self._clock is None or self._is_ahead:
            return self._bound()
        return max(self._bound(), self._clock())

    def begin(self) -> None:
        """Count from here: `now` means nothing before the thing was switched on."""
        self._since = self._now()

    def witness(self, at: datetime) -> None:
        """Take note that somebody who is trusted with it has signed something at this time."""
        if at > self._bound():
            self._shown, self._since = at, self._now()

    def agree(self, at: datetime) -> None:
        """Take it that it is `at` now: the domain says so, in a handshake that it has just proven itself in."""
        self._is_ahead = self._clock is not None and self._clock() - at > _TOLERANCE
        self.witness(at)

    def _bound(self) -> datetime:
        return self._shown + timedelta(seconds=self._now() - self._since)
