"""What an actuator may be told and how often, whoever tells it: a right to command is no right to break it (R-16)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from thingstead.agent.ports import Actuator
from thingstead.errors import ConfigError, PolicyError

__all__ = ["Envelope", "GuardedActuator"]

_MINUTE = 60.0


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

    What leaves it as it is counts for nothing: a command may be repeated until it is acknowledged.

    Args:
        actuator: what is moved.
        envelope: within which bounds.
    """

    def __init__(self, actuator: Actuator, envelope: Envelope) -> None:
        self._actuator = actuator
        self._envelope = envelope
        self._changes: deque[float] = deque(maxlen=envelope.changes_per_minute)

    def is_on(self) -> bool:
        """How it stands."""
        return self._actuator.is_on()

    def level(self) -> int:
        """How bright it is when it is on, in per cent."""
        return self._actuator.level()

    def switch(self, on: bool, now: float) -> None:
        """Switch it.

        Raises:
            PolicyError: it changes too often (`reason` ``rate``).
        """
        if on != self._actuator.is_on():
            self._count(now)
        self._actuator.switch(on)

    def dim(self, level: int, now: float) -> None:
        """Set its level.

        Raises:
            PolicyError: outside what is safe (`reason` ``range``), or it changes too often (``rate``).
        """
        envelope = self._envelope
        if not envelope.lowest <= level <= envelope.highest:
            raise PolicyError(f"expected a level of {envelope.lowest} to {envelope.highest}", reason="range")
        if level != self._actuator.level():
            self._count(now)
        self._actuator.dim(level)

    def _count(self, now: float) -> None:
        most = self._envelope.changes_per_minute
        if len(self._changes) == most and now - self._changes[0] < _MINUTE:
            raise PolicyError(f"expected at most {most} changes a minute", spec="RFC 8516 §3", reason="rate")
        self._changes.append(now)
