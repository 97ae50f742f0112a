"""Parameters with a structure of their own: versions to compare, and events to wait for (UPDATE_MANAGEMENT §4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.registry import UPDATE_MANAGEMENT

__all__ = [
    "Comparison",
    "OtherDevice",
    "Version",
    "VersionMatch",
    "WaitEvent",
    "WaitInfo",
    "decode_match",
    "decode_wait",
]

Version = tuple[int, ...]
"""Release numbers, then perhaps -1 (release candidate), -2 (beta) or -3 (alpha) and further numbers."""

_MAX_NUMBERS = 16
_MAX_OTHERS = 16
_SECONDS_OF_DAY, _DAYS_OF_WEEK = 86_400, 7


class Comparison(IntEnum):
    """How the version that is there compares with the one of the manifest."""

    GREATER = 1
    GREATER_EQUAL = 2
    EQUAL = 3
    LESSER_EQUAL = 4
    LESSER = 5


_HOLDS: dict[Comparison, Callable[[int], bool]] = {
    Comparison.GREATER: lambda order: order > 0,
    Comparison.GREATER_EQUAL: lambda order: order >= 0,
    Comparison.EQUAL: lambda order: order == 0,
    Comparison.LESSER_EQUAL: lambda order: order <= 0,
    Comparison.LESSER: lambda order: order < 0,
}


@dataclass(frozen=True, slots=True)
class VersionMatch:
    """One comparison with one version."""

    comparison: Comparison
    version: Version

    def holds(self, version: Version) -> bool:
        """Whether `version` fits: number by number, until they differ or the manifest has no more (§4.4)."""
        for own, wanted in zip_longest(version[: len(self.version)], self.version, fillvalue=0):
            if own != wanted:
                return _HOLDS[self.comparison](own - wanted)
        return _HOLDS[self.comparison](0)


class WaitEvent(IntEnum):
    """What may be waited for (§4.5)."""

    AUTHORIZATION = 1
    POWER = 2
    NETWORK = 3
    OTHER_DEVICE_VERSION = 4
    TIME = 5
    TIME_OF_DAY = 6
    DAY_OF_WEEK = 7
    TIME_OF_DAY_UTC = 8
    DAY_OF_WEEK_UTC = 9


@dataclass(frozen=True, slots=True)
class OtherDevice:
    """Wait until another device has a version that fits every match."""

    device: bytes
    matches: tuple[VersionMatch, ...]


WaitInfo = Mapping[WaitEvent, "int | OtherDevice"]
"""Events that must all have happened: a priority, a state, seconds, a day from Sunday on, or another device."""


def decode_match(data: bytes) -> VersionMatch:
    """Decode a version parameter without its byte string's head.

    Raises:
        DecodeError: outside the grammar, or more numbers than versions have.
    """
    return _match(codec.decode_deterministic(data))


def decode_wait(data: bytes) -> WaitInfo:
    """Decode a wait-info parameter without its byte string's head.

    Raises:
        DecodeError: outside the grammar.
        UnsupportedError: an event that no registry has.
    """
    events = codec.decode_deterministic(data)
    if not isinstance(events, dict) or not events:
        raise _refused("expected events to wait for: a map")
    waited: dict[WaitEvent, int | OtherDevice] = {}
    for key, value in events.items():
        if type(key) is not int or key not in _EVENTS:
            raise UnsupportedError(f"the event {key!r:.20} is not known", spec=f"{UPDATE_MANAGEMENT} §4.5")
        event = WaitEvent(key)
        waited[event] = _other_device(value) if event is WaitEvent.OTHER_DEVICE_VERSION else _number(event, value)
    return MappingProxyType(waited)


_EVENTS, _COMPARISONS = frozenset(WaitEvent), frozenset(Comparison)
_RANGES: dict[WaitEvent, tuple[int, int]] = {
    WaitEvent.AUTHORIZATION: (-(1 << 63), (1 << 63) - 1),
    WaitEvent.POWER: (-(1 << 63), (1 << 63) - 1),
    WaitEvent.NETWORK: (-(1 << 63), (1 << 63) - 1),
    WaitEvent.TIME: (0, (1 << 63) - 1),
    WaitEvent.TIME_OF_DAY: (0, _SECONDS_OF_DAY - 1),
    WaitEvent.DAY_OF_WEEK: (0, _DAYS_OF_WEEK - 1),
    WaitEvent.TIME_OF_DAY_UTC: (0, _SECONDS_OF_DAY - 1),
    WaitEvent.DAY_OF_WEEK_UTC: (0, _DAYS_OF_WEEK - 1),
}


def _number(event: WaitEvent, value: Any) -> int:
    lowest, highest = _RANGES[event]
    if type(value) is not int or not lowest <= value <= highest:
        raise _refused(f"expected a number from {lowest} to {highest} for {event.name.lower()}")
    return value


def _other_device(value: Any) -> OtherDevice:
    match value:
        case [bytes(device), [_, *_] as matches] if len(matches) <= _MAX_OTHERS:
            return OtherDevice(device, tuple([_match(item) for item in matches]))
        case _:
            raise _refused("expected another device and versions of it")


def _match(value: Any) -> VersionMatch:
    match value:
        case [int(comparison), [_, *_] as numbers] if len(numbers) <= _MAX_NUMBERS:
            if type(comparison) is int and comparison in _COMPARISONS and all(type(one) is int for one in numbers):
                return VersionMatch(Comparison(comparison), tuple(numbers))
    raise _refused(f"expected a comparison and a version of at most {_MAX_NUMBERS} numbers")


def _refused(message: str) -> DecodeError:
    return DecodeError(message, spec=f"{UPDATE_MANAGEMENT} §4")
