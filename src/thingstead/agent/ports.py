"""What the agent wants of the world around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from thingstead.protocols.senml.record import Record

__all__ = ["Actuator", "Home", "Installed", "Sensor", "Slots"]


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


@dataclass(frozen=True, slots=True)
class Installed:
    """Which release is in the active slot.

    Attributes:
        sequence_number: of its manifest; nothing at or below it is installed any more.
        manifest_digest: encoded SUIT_Digest of that manifest; empty for what the factory put there.
    """

    sequence_number: int
    manifest_digest: bytes = b""


class Slots(Protocol):
    """Two places for firmware, one of them active; only `activate` changes which, atomically.

    Raises:
        StorageError: from every method, when it cannot be read or kept.
    """

    def active(self) -> bytes:
        """The image that runs."""
        ...

    def installed(self) -> Installed:
        """Which release that image is of."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Write into the slot that is not active; a power cut before `activate` may lose any of it."""
        ...

    def candidate(self) -> bytes:
        """What the slot that is not active holds."""
        ...

    def clear_candidate(self) -> None:
        """Empty the slot that is not active."""
        ...

    def activate(self, installed: Installed) -> None:
        """Make the other slot the active one and `installed` its release: both or neither, whenever power goes."""
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

    def dim(self, level: int) -> None:
        """Set how bright it is when it is on, in per cent."""
        ...

    def is_on(self) -> bool:
        """How it stands."""
        ...

    def level(self) -> int:
        """How bright it is when it is on, in per cent."""
        ...
