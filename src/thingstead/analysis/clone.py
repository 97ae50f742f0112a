"""Two live things under one identity, told from one thing that moved, restarted, or both (RFC 8576 §3, threat 3).

Whoever holds a thing's keys cannot be told from it by one message. But two that live go on living: each join of one
ends the other's association, so the other joins again from its own place; and two that use one association are heard
from two places in turn. One thing goes from place to place, and seldom back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from thingstead.identifier import ThingId

__all__ = ["Clone", "Sightings"]

_LONGEST = 16
_JOIN_WINDOW = 600.0
_JOIN_RETURNS = 2
"""Joined and at work from here, there, here and there: a thing that is carried to a bench and back returns once."""

_ROAMING_WINDOW = 60.0
_ROAMING_RETURNS = 4
"""Verified from here and there three times over within a minute, with no join between: faster than a thing roams."""


@dataclass(frozen=True, slots=True)
class Clone:
    """What shows that an identity lives twice.

    Attributes:
        how: ``joins`` in turn, or ``addresses`` in turn under one association.
        places: where it was heard, in that order.
        seconds: from the first of them to the last.
    """

    how: str
    places: tuple[Hashable, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Sighting:
    now: float
    joins: int
    place: Hashable


class Sightings:
    """Where each thing's verified messages come from; to be asked at each, and cheap where nothing changes."""

    def __init__(self) -> None:
        self._joins: dict[ThingId, int] = {}
        self._last: dict[ThingId, tuple[int, Hashable]] = {}
        self._trails: dict[ThingId, deque[_Sighting]] = {}

    def joined(self, thing: ThingId) -> None:
        """What is heard from now on is heard under another association."""
        self._joins[thing] = self._joins.get(thing, 0) + 1

    def forget(self, thing: ThingId) -> None:
        """Begin anew with it."""
        self._last.pop(thing, None)
        self._trails.pop(thing, None)

    def has_moved(self, thing: ThingId, place: Hashable) -> bool:
        """Whether a message from there would say anything new of the thing; most say nothing."""
        return self._last.get(thing) != (self._joins.get(thing, 0), place)

    def heard(self, thing: ThingId, place: Hashable, *, now: float) -> Clone | None:
        """Note that a message of the thing verified; tells if by now only two things explain where it was heard."""
        if not self.has_moved(thing, place):
            return None
        seen = (self._joins.get(thing, 0), place)
        self._last[thing] = seen
        trail = self._trails.setdefault(thing, deque(maxlen=_LONGEST))
        trail.append(_Sighting(now, *seen))
        begun = [one for number, one in enumerate(trail) if not number or one.joins != trail[number - 1].joins]
        return _judge("joins", begun, now - _JOIN_WINDOW, _JOIN_RETURNS) or _judge(
            "addresses", trail, now - _ROAMING_WINDOW, _ROAMING_RETURNS
        )


def _judge(how: str, trail: Sequence[_Sighting], since: float, returns: int) -> Clone | None:
    recent = [one for one in trail if one.now >= since]
    places = [one.place for one in recent]
    returned = sum(place != places[at] and place in places[:at] for at, place in enumerate(places[1:]))
    return Clone(how, tuple(places), recent[-1].now - recent[0].now) if returned >= returns else None
