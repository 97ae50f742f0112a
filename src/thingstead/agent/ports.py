"""What the agent wants of the world around it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from thingstead.protocols.senml.record import Record

__all__ = ["Actuator", "Home", "Sensor", "Slots"]


class Home(Protocol):
    """The thing's own memory: small named values that survive a crash.

    `save` is atomic and on disk when it returns: after a crash a name holds its old value or its new one.
    """

    def load(self, name: str) -> bytes | None:
        """The value, or None."""
        ...

    def save(self, name: str, value: bytes) -> None:
        """Replace a value."""
        ...

    def delete(self, name: str) -> None:
        """Forget a value; nothing if there is none."""
        ...

    def names(self) -> list[str]:
        """All names that hold a value."""
        ...


class Slots(Protocol):
    """Two places for firmware, one of them active; only `activate` changes which, atomically."""

    def active(self) -> bytes:
        """The image that runs."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Write into the slot that is not active."""
        ...

    def candidate(self) -> bytes:
        """What the slot that is not active holds."""
        ...

    def clear_candidate(self) -> None:
        """Empty the slot that is not active."""
        ...

    def activate(self) -> None:
        """Make the other slot the active one."""
        ...


class Sensor(Protocol):
    """What the thing measures."""

    def read(self, at: datetime) -> list[Record]:
        """One reading; names are relative to the thing."""
        ...


class Actuator(Protocol):
    """What the thing moves: a lamp."""

    def switch(self, on: bool) -> None:
        """Do it."""
        ...

    def is_on(self) -> bool:
        """How it stands."""
        ...
