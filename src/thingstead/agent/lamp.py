"""A lamp that exists in memory: simulated, and the only part of a demo thing that is."""

from __future__ import annotations

__all__ = ["SimulatedLamp"]


class SimulatedLamp:
    """On or off, at a level; starts off, and at its brightest when it is switched on."""

    def __init__(self) -> None:
        self._on = False
        self._level = 100
        self.switched = 0

    def switch(self, on: bool) -> None:
        """Do it, and count that it was asked."""
        self._on = on
        self.switched += 1

    def dim(self, level: int) -> None:
        """Do it."""
        self._level = level

    def is_on(self) -> bool:
        """How it stands."""
        return self._on

    def level(self) -> int:
        """How bright it is when it is on, in per cent."""
        return self._level
