"""What the network plane tells people at once, beside what it writes down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from thingstead.identifier import ThingId

__all__ = ["Alarm", "AlarmKind"]


class AlarmKind(StrEnum):
    """Why."""

    DEVIATION = "deviation"
    RULES_ALTERED = "rules-altered"
    MUD_UNAVAILABLE = "mud-unavailable"
    MUD_CHANGED = "mud-changed"
    MUD_URL_CHANGED = "mud-url-changed"
    ADDRESS_TAKEN = "address-taken"
    NAME_POINTS_INSIDE = "name-points-inside"
    NAME_SHARED = "name-shared"
    NAME_UNRESOLVED = "name-unresolved"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing to look at. `detail` is one line; `packets` counts refused ones of a deviation."""

    kind: AlarmKind
    thing: ThingId | None
    at: datetime
    detail: str
    packets: int = 0
