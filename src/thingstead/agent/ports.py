"""What the agent wants of the world around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from thingstead.protocols.senml.record import Record
from thingstead.protocols.suit.manifest import ComponentId

__all__ = ["Actuator", "Area", "Download", "Home", "Installed", "Sensor", "Slots", "Standing"]


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
    """Which release is in the active slots.

    Attributes:
        sequence_number: of its manifest; nothing at or below it is installed any more.
        manifest_digest: encoded SUIT_Digest of that manifest; empty for what the factory put there.
    """

    sequence_number: int
    manifest_digest: bytes = b""


class Area(Enum):
    """Where the bytes of a component are."""

    ACTIVE = "active"
    """What runs; never written."""

    CANDIDATE = "candidate"
    """What may run next."""

    STAGING = "staging"
    """What a candidate is made of and never runs: ciphertext, a patch."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which releases the slots hold.

    Attributes:
        installed: the one that proved itself last; its sequence number counts against rollback.
        trial: the one that runs and has not proved itself yet; None as a rule.
        boots: how often the thing was started with the one on trial.
        reverted: manifest digest, encoded, of the last one that did not prove itself; empty for none.
        is_told: the domain has heard of that.
    """

    installed: Installed
    trial: Installed | None = None
    boots: int = 0
    reverted: bytes = b""
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class Download:
    """How far a download has come; a hint where to go on, of which the digest at the end decides whether it was true.

    Attributes:
        manifest_digest: encoded, of the manifest that asks for it.
        component: whose bytes they are.
        area: where they go.
        etag: of the representation that they are a part of (RFC 7252 §5.10.6).
        size: bytes from the start that are on disk.
    """

    manifest_digest: bytes
    component: ComponentId
    area: Area
    etag: bytes
    size: int


class Slots(Protocol):
    """For each component an active place, one for a candidate and one for what that is made of.

    Only `activate`, `confirm` and `revert` change which place is the active one, for all components in one step:
    whenever the power goes, each of them was made or was not. While a release is on trial there is no candidate,
    because the place for it holds what ran before.

    Raises:
        StorageError: from every method, when it cannot be read or kept.
    """

    def components(self) -> frozenset[ComponentId]:
        """What the thing consists of."""
        ...

    def standing(self) -> Standing:
        """Which releases are there."""
        ...

    def size(self, area: Area, component: ComponentId) -> int:
        """Bytes in a place; 0 where nothing was written."""
        ...

    def read(self, area: Area, component: ComponentId, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset` on."""
        ...

    def write(self, area: Area, component: ComponentId, offset: int, data: bytes) -> None:
        """Write into a place that is not active; a power cut before `keep` or `activate` may lose any of it."""
        ...

    def truncate(self, area: Area, component: ComponentId, size: int) -> None:
        """Keep only the first `size` bytes of a place that is not active."""
        ...

    def download(self) -> Download | None:
        """How far the last download had come when it was kept."""
        ...

    def keep(self, download: Download | None) -> None:
        """What it says is written goes to the disk first, then the word that it is there; None forgets it."""
        ...

    def activate(self, components: Iterable[ComponentId], release: Installed) -> None:
        """Put the candidates of `components` on trial, as `release`; the others stay as they are."""
        ...

    def count_boot(self) -> None:
        """The thing starts with the release on trial."""
        ...

    def confirm(self) -> None:
        """The release on trial is the installed one from now on."""
        ...

    def revert(self) -> None:
        """What ran before the trial is active again, and the release that was on trial is the reverted one."""
        ...

    def told(self) -> None:
        """The domain has heard of the reverted one."""
        ...

    def forgive(self) -> None:
        """Let the reverted one be tried again."""
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
