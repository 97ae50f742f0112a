"""A lamp that exists in memory: simulated, and the only part of a demo thing that is."""

from __future__ import annotations

__all__ = ["SimulatedLamp"]


class SimulatedLamp:
    """On or off; starts off."""

    def __init__(self) -> None:
        self._on = False
        self.switched = 0

    def switch(self, on: bool) -> None:
        """Do it, and count that it was asked."""
        self._on = on
        self.switched += 1

    def is_on(self) -> bool:
        """How it stands."""
        return self._on
