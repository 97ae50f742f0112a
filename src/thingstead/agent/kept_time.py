"""The time of a thing without a clock: no earlier than what it has been shown, and running on from there.

What was signed at some time shows that this time has been. So a date that lies before it has passed for certain; of one
that lies behind it nothing is known, since nobody counted while the thing was off.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["KeptTime"]

_NEVER = datetime.fromtimestamp(0, UTC)


class KeptTime:
    """A lower bound of UTC.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._shown = _NEVER
        self._since = now()

    def utc(self) -> datetime:
        """No earlier than this it is."""
        return self._shown + timedelta(seconds=self._now() - self._since)

    def witness(self, at: datetime) -> None:
        """Take note that somebody who is trusted with it has signed something at this time."""
        if at > self.utc():
            self._shown, self._since = at, self._now()
