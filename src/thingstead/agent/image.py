"""Images in slots: measured, copied and compared piece by piece, so that none has to fit into memory."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import NamedTuple

from thingstead.agent.ports import Area, Slots
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import hasher
from thingstead.errors import DecodeError
from thingstead.protocols.profile import firmware
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.profile.release import FIRMWARE, STAGING
from thingstead.protocols.suit.digest import Digest
from thingstead.protocols.suit.manifest import ComponentId

__all__ = ["Place", "candidate_of", "consists_of", "copy", "header", "measure", "obeyed", "pieces", "store"]

_PIECE = 1 << 14
_SECTOR = 4096
_HEADER = 2048


class Place(NamedTuple):
    """Where bytes of a component are."""

    area: Area
    component: ComponentId


def candidate_of(component: ComponentId) -> Place:
    """Where what a manifest writes into a component goes."""
    return Place(Area.STAGING, FIRMWARE) if component == STAGING else Place(Area.CANDIDATE, component)


def pieces(slots: Slots, place: Place, *, start: int = 0) -> Iterator[bytes]:
    """The bytes of a place from `start` on, a few at a time."""
    offset = start
    while piece := slots.read(place.area, place.component, offset, _PIECE):
        yield piece
        offset += len(piece)


def measure(slots: Slots, place: Place, algorithm_id: int = AlgorithmId.SHA_256) -> Digest:
    """The digest of what is there."""
    running = hasher(algorithm_id)
    for piece in pieces(slots, place):
        running.update(piece)
    return Digest(int(algorithm_id), running.digest())


def consists_of(slots: Slots, place: Place, content: bytes) -> bool:
    """Whether these are the bytes there, in constant time for those of one size."""
    if slots.size(place.area, place.component) != len(content):
        return False
    return hmac.compare_digest(b"".join(pieces(slots, place)), content)


def store(slots: Slots, place: Place, data: Iterator[bytes]) -> None:
    """Put `data` there, sector by sector, as flash is written."""
    slots.truncate(place.area, place.component, 0)
    offset, sector = 0, bytearray()
    for piece in data:
        sector += piece
        while len(sector) >= _SECTOR:
            slots.write(place.area, place.component, offset, bytes(sector[:_SECTOR]))
            offset += _SECTOR
            del sector[:_SECTOR]
    if sector:
        slots.write(place.area, place.component, offset, bytes(sector))


def copy(slots: Slots, source: Place, target: Place) -> None:
    """Put there what is elsewhere."""
    store(slots, target, pieces(slots, source))


def header(slots: Slots, area: Area) -> Firmware:
    """What the agent does because of the firmware there.

    Raises:
        DecodeError: it would not start.
    """
    return firmware.decode(slots.read(area, FIRMWARE, 0, _HEADER))


def obeyed(slots: Slots) -> Firmware:
    """The header of the firmware that runs; a foreign one changes nothing about how the agent behaves."""
    try:
        return header(slots, Area.ACTIVE)
    except DecodeError:
        return Firmware("unknown")
