"""Of which known type a device is, by whom it talks to: held against the MUD files of types (RFC 8520 §3.2).

Only rules by name count. Rules that let anybody speak fit everything, and names of time servers fit many.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from thingstead.analysis.traffic.inventory import Contact, Device
from thingstead.protocols.mud.file import Direction, RemoteKind
from thingstead.protocols.mud.rule import Rule, RuleSet

__all__ = ["Likeness", "likeness"]

_NTP = (17, 123)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How well a file fits.

    Attributes:
        url: of the file.
        confidence: 0 to 1: packets of the device's conversations with names that the file names too.
        names: that both have.
    """

    url: str
    confidence: float
    names: tuple[str, ...]


def likeness(device: Device, files: Iterable[RuleSet]) -> tuple[Likeness, ...]:
    """Files that fit at all, the best first."""
    named = [one for one in device.contacts if one.outbound and one.name and (one.protocol, one.port) != _NTP]
    packets = sum(one.packets_out + one.packets_in for one in named)
    found = []
    for rules in files:
        by_name = [rule for rule in rules.rules if _is_by_name(rule)]
        common = [one for one in named if any(_fits(rule, one) for rule in by_name)]
        if common:
            share = sum(one.packets_out + one.packets_in for one in common) / packets
            found.append(Likeness(rules.url, round(share, 2), tuple(sorted({one.name for one in common}))))
    return tuple(sorted(found, key=lambda one: (-one.confidence, one.url)))


def _is_by_name(rule: Rule) -> bool:
    return rule.remote.kind is RemoteKind.DNS_NAME and rule.opened_by is Direction.FROM_DEVICE


def _fits(rule: Rule, contact: Contact) -> bool:
    port = contact.port or 0
    return (
        rule.remote.name == contact.name
        and rule.protocol in {None, contact.protocol}
        and rule.remote_ports.first <= port <= rule.remote_ports.last
    )
