"""How a thing without a clock knows which tokens have ended: it counts from when each first came (RFC 9200 §5.10.3).

The highest number that was ever taken is on disk before its token counts. After a restart, when nobody can say how long
the thing was off, all up to that number have ended: none comes back to life.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from thingstead.agent.ports import Home
from thingstead.errors import ExpiredError

__all__ = ["EXI", "ExiBook"]

_LOGGER = logging.getLogger(__name__)

EXI = "exi"
_SIZE = 8
_MAX_LIVE = 64
_SPEC = "RFC 9200 §5.10.3"


class ExiBook:
    """Deadlines of the tokens that count, and the highest number of those that do not.

    Args:
        home: where the highest number is kept.
        now: monotonic seconds.
    """

    def __init__(self, home: Home, *, now: Callable[[], float]) -> None:
        self._home = home
        self._now = now
        self._kept = self._ended = _load(home)
        self._live: dict[int, float] = {}

    def admit(self, number: int, seconds: int) -> float:
        """Seconds that a token still counts; from when it came first, however often it comes.

        Raises:
            ExpiredError: it has ended, or one that was issued later has.
            StorageError: the disk does not take it; it does not count.
        """
        self._tidy()
        if number not in self._live:
            is_full = len(self._live) >= _MAX_LIVE
            if number <= self._ended or (is_full and number < min(self._live)):
                raise ExpiredError("expected a token that was issued after those that ended", spec=_SPEC)
            if number > self._kept:
                self._home.save(EXI, number.to_bytes(_SIZE, "big"))
                self._kept = number
            if is_full:
                self._end(min(self._live))
            self._live[number] = self._now() + seconds
        return self._live[number] - self._now()

    def leave(self) -> None:
        """Count for no authorization server any more; what is kept goes with the rest of the home."""
        self._live.clear()
        self._kept = self._ended = 0

    def _tidy(self) -> None:
        for number in [number for number, deadline in self._live.items() if deadline <= self._now()]:
            self._end(number)

    def _end(self, number: int) -> None:
        del self._live[number]
        self._ended = max(self._ended, number)


def _load(home: Home) -> int:
    """The highest number that was taken before; where that is damaged, the highest of all: none is taken then."""
    kept = home.load(EXI)
    if kept is not None and len(kept) != _SIZE:
        _LOGGER.error("what was kept of tokens is damaged: others get no rights here until this thing is wiped")
        return (1 << 8 * _SIZE) - 1
    return int.from_bytes(kept or b"", "big")
