"""What an owner thinks of a release before it is offered: what is refused, what waits for a second person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType

__all__ = ["STRICT", "Concern", "Device", "ReleasePolicy", "Severity", "Stance", "VulnerabilityPolicy"]


class Stance(StrEnum):
    """What becomes of a release that gives reason for a concern."""

    ALLOW = "allow"
    HOLD = "hold"
    REFUSE = "refuse"


class Concern(StrEnum):
    """What an owner may have against a release that is otherwise authentic, newer, and for things of theirs.

    Who refuses an older sequence number is the thing itself: no policy brings that back.
    """

    NETWORK_GROWS = "network_grows"
    SECRET = "secret_in_image"  # noqa: S105  the name of a concern
    PERSONAL_DATA = "personal_data_in_image"
    SBOM_MISSING = "sbom_missing"
    SIGNATURE_ENDS = "signature_ends"
    ALGORITHMS_UNSAFE = "algorithms_unsafe"
    KNOWN_VULNERABILITY = "known_vulnerability"


class Severity(IntEnum):
    """How bad a vulnerability is; what nobody rated counts as high, for somebody has to look."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


STRICT: Mapping[Concern, Stance] = MappingProxyType(
    {
        Concern.NETWORK_GROWS: Stance.HOLD,
        Concern.SECRET: Stance.REFUSE,
        Concern.PERSONAL_DATA: Stance.REFUSE,
        Concern.SBOM_MISSING: Stance.REFUSE,
        Concern.SIGNATURE_ENDS: Stance.HOLD,
        Concern.ALGORITHMS_UNSAFE: Stance.REFUSE,
        Concern.KNOWN_VULNERABILITY: Stance.HOLD,
    }
)
"""Where the owner's policy says nothing."""


@dataclass(frozen=True, slots=True)
class Device:
    """What things of some models are, for what a release costs them.

    Attributes:
        models: patterns in which ``*`` stands for any text and ``?`` for one character.
        device_class: C0, C1 or C2 of RFC 7228; empty where nobody says.
        links: names of link profiles.
        max_hours: that an update may take a link, at best.
    """

    models: tuple[str, ...]
    device_class: str = ""
    links: tuple[str, ...] = ()
    max_hours: float = 24.0


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """The owner's part on releases.

    Attributes:
        stances: by concern; `STRICT` where it says nothing.
        devices: the first that names a model says what its things are.
    """

    stances: Mapping[Concern, Stance] = field(default_factory=lambda: dict(STRICT))
    devices: tuple[Device, ...] = ()

    def stance(self, concern: Concern) -> Stance:
        """What becomes of a release that gives reason for a concern."""
        return self.stances.get(concern, STRICT[concern])

    def device(self, model: str) -> Device | None:
        """What things of a model are; None where nobody says."""
        found = (one for one in self.devices if any(fnmatchcase(model, pattern) for pattern in one.models))
        return next(found, None)


@dataclass(frozen=True, slots=True)
class VulnerabilityPolicy:
    """What becomes of things that run software with a known vulnerability (R-18).

    Attributes:
        quarantine_from: the least bad that puts a thing in quarantine; None for none ever.
        ticket_from: the least bad that is put on the ledger for somebody to look at.
    """

    quarantine_from: Severity | None = Severity.CRITICAL
    ticket_from: Severity = Severity.LOW
