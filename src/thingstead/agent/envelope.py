"""What an actuator may be told and how often, whoever tells it: a right to command is no right to break it (R-16)."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

from thingstead.agent.ports import Actuator
from thingstead.errors import ConfigError, PolicyError
from thingstead.protocols.ace.aif import UNBOUNDED, Bounds

__all__ = ["Envelope", "GuardedActuator"]

_MINUTE = 60.0
_MAX_COUNTED = 256
"""Who commands and what; more than sessions, groups and the domain come to, so that nobody starts anew by others."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is declared to be safe.

    Attributes:
        lowest: level at which it may be on, in per cent.
        highest: likewise.
        changes_per_minute: how often its state may change within any minute.
    """

    lowest: int = 0
    highest: int = 100
    changes_per_minute: int = 120

    def __post_init__(self) -> None:
        if not 0 <= self.lowest <= self.highest <= 100 or self.changes_per_minute < 1:
            raise ConfigError(
                f"expected a lamp's levels between 0 and 100 and at least one change a minute, got {self.lowest} to "
                f"{self.highest} and {self.changes_per_minute}"
            )


class GuardedActuator:
    """The only way to an actuator: domain, group and other things come through here alike.

    Whoever commands is held to the tighter of two: the envelope, and what its token says (RFC 9237). What leaves the
    actuator as it is counts for nothing: a command may be repeated until it is acknowledged.

    Args:
        actuator: what is moved.
        envelope: within which bounds.
    """

    def __init__(self, actuator: Actuator, envelope: Envelope) -> None:
        self._actuator = actuator
        self._envelope = envelope
        self._changes: deque[float] = deque(maxlen=envelope.changes_per_minute)
        self._changes_of: dict[tuple[Hashable, str], deque[float]] = {}

    def is_on(self) -> bool:
        """How it stands."""
        return self._actuator.is_on()

    def level(self) -> int:
        """How bright it is when it is on, in per cent."""
        return self._actuator.level()

    def switch(self, on: bool, now: float, *, by: Hashable = None, bounds: Bounds = UNBOUNDED) -> None:
        """Switch it.

        Args:
            on: how it shall stand.
            now: monotonic seconds.
            by: who commands it.
            bounds: how far its right to do so reaches.

        Raises:
            PolicyError: it changes too often (`reason` ``rate``).
        """
        if on != self._actuator.is_on():
            self._count(now, (by, "switch"), bounds)
        self._actuator.switch(on)

    def dim(self, level: int, now: float, *, by: Hashable = None, bounds: Bounds = UNBOUNDED) -> None:
        """Set its level; arguments as for `switch`.

        Raises:
            PolicyError: outside what is safe or allowed (`reason` ``range``), or it changes too often (``rate``).
        """
        try:
            allowed = bounds.tighten(Bounds(self._envelope.lowest, self._envelope.highest))
        except ValueError as error:
            raise PolicyError("no level is both safe and allowed", spec="RFC 9237 §2", reason="range") from error
        if (allowed.lowest is not None and level < allowed.lowest) or (
            allowed.highest is not None and level > allowed.highest
        ):
            raise PolicyError(f"expected a level of {allowed.lowest} to {allowed.highest}", reason="range")
        if level != self._actuator.level():
            self._count(now, (by, "dim"), bounds)
        self._actuator.dim(level)

    def _count(self, now: float, whose: tuple[Hashable, str], bounds: Bounds) -> None:
        """Count one more change against both, or neither."""
        most = self._envelope.changes_per_minute
        _check(self._changes, most, now)
        if bounds.changes_per_minute is not None:
            theirs = self._changes_of.pop(whose, None) or deque()
            self._changes_of[whose] = theirs
            while theirs and now - theirs[0] >= _MINUTE:
                theirs.popleft()
            _check(theirs, bounds.changes_per_minute, now)
            theirs.append(now)
            if len(self._changes_of) > _MAX_COUNTED:
                del self._changes_of[next(iter(self._changes_of))]
        self._changes.append(now)


def _check(changes: deque[float], most: int, now: float) -> None:
    if len(changes) >= most and (not changes or now - changes[0] < _MINUTE):
        raise PolicyError(f"expected at most {most} changes a minute", spec="RFC 8516 §3", reason="rate")
