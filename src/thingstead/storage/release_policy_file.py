"""The part of the owner's policy that is about releases and known vulnerabilities, as it is written.

::

    [release]
    network_grows = "hold"        # allow, hold for a second person, refuse; so for each of `Concern`

    [[release.device]]
    models = ["LX-*"]
    class = "C2"                  # of RFC 7228
    links = ["BLE"]
    max_hours = 24

    [vulnerability]
    quarantine_from = "critical"  # or "never"
    ticket_from = "low"
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from thingstead.analysis.link_profile import DEVICE_CLASSES, LINKS
from thingstead.domain.release_policy import (
    STRICT,
    Concern,
    Device,
    ReleasePolicy,
    Severity,
    Stance,
    VulnerabilityPolicy,
)
from thingstead.errors import ConfigError

__all__ = ["ReleaseSection", "VulnerabilitySection", "release_policy", "vulnerability_policy"]

_Level = Literal["low", "medium", "high", "critical"]
_Models = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=255)], ...], msgspec.Meta(max_length=256)]


class _Device(msgspec.Struct, forbid_unknown_fields=True, rename={"device_class": "class"}):
    models: _Models
    device_class: str = ""
    links: Annotated[tuple[str, ...], msgspec.Meta(max_length=16)] = ()
    max_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] = 24.0


class ReleaseSection(msgspec.Struct, forbid_unknown_fields=True):
    """``[release]``: a stance for each concern, and ``[[release.device]]`` for what things of some models are."""

    network_grows: Stance = STRICT[Concern.NETWORK_GROWS]
    secret_in_image: Stance = STRICT[Concern.SECRET]
    personal_data_in_image: Stance = STRICT[Concern.PERSONAL_DATA]
    sbom_missing: Stance = STRICT[Concern.SBOM_MISSING]
    signature_ends: Stance = STRICT[Concern.SIGNATURE_ENDS]
    algorithms_unsafe: Stance = STRICT[Concern.ALGORITHMS_UNSAFE]
    known_vulnerability: Stance = STRICT[Concern.KNOWN_VULNERABILITY]
    device: Annotated[tuple[_Device, ...], msgspec.Meta(max_length=256)] = ()


class VulnerabilitySection(msgspec.Struct, forbid_unknown_fields=True):
    """``[vulnerability]``: from how bad on a thing is put in quarantine, or somebody is told."""

    quarantine_from: _Level | Literal["never"] = "critical"
    ticket_from: _Level = "low"


def release_policy(section: ReleaseSection) -> ReleasePolicy:
    """What the section says.

    Raises:
        ConfigError: a device class or a link that there is no profile of.
    """
    stances = {concern: getattr(section, concern.value) for concern in Concern}
    devices = [Device(one.models, one.device_class, one.links, one.max_hours) for one in section.device]
    known = {one.name for one in DEVICE_CLASSES}
    for device in devices:
        if device.device_class and device.device_class not in known:
            raise ConfigError(f"[[release.device]]: expected a class of {', '.join(sorted(known))}")
        strange = [name for name in device.links if name not in LINKS]
        if strange:
            raise ConfigError(f"[[release.device]]: expected links of {', '.join(LINKS)}, got {strange[0][:40]!r}")
    return ReleasePolicy(stances, tuple(devices))


def vulnerability_policy(section: VulnerabilitySection) -> VulnerabilityPolicy:
    """What the section says."""
    never = section.quarantine_from == "never"
    quarantine_from = None if never else Severity[section.quarantine_from.upper()]
    return VulnerabilityPolicy(quarantine_from, Severity[section.ticket_from.upper()])
