"""Which serial numbers: patterns, ranges, and bills of installation that list each one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from thingstead.errors import ConfigError

__all__ = ["SerialRange", "Serials", "parse_serials"]

_MANY = 4
_MOST = 1000
_SPECIAL = frozenset("*?[")
_COUNTED = re.compile(r"(?P<prefix>.*?)(?P<digits>[0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class SerialRange:
    """Serial numbers of one prefix and one number of digits, from the first to the last, both included.

    Attributes:
        prefix: what they begin with.
        width: how many digits follow, leading zeros counted: A-7 is not in A-0001..A-0100.
        first: the least number.
        last: the greatest.
    """

    prefix: str
    width: int
    first: int
    last: int

    def __contains__(self, serial: str) -> bool:
        digits = serial.removeprefix(self.prefix)
        if len(digits) != self.width or len(serial) != len(self.prefix) + self.width:
            return False
        return digits.isascii() and digits.isdecimal() and self.first <= int(digits) <= self.last

    @property
    def pattern(self) -> str:
        """Names all of them, and others beside them."""
        return self.prefix + "?" * self.width

    def holds(self, other: SerialRange) -> bool:
        """Whether all of `other` is in here."""
        return self._is_like(other) and self.first <= other.first and other.last <= self.last

    def meets(self, other: SerialRange) -> bool:
        """Whether any of `other` is in here."""
        return self._is_like(other) and self.first <= other.last and other.first <= self.last

    def _is_like(self, other: SerialRange) -> bool:
        return (self.prefix, self.width) == (other.prefix, other.width)

    def __str__(self) -> str:
        return f"{self.prefix}{self.first:0{self.width}}..{self.prefix}{self.last:0{self.width}}"


@dataclass(frozen=True, slots=True)
class Serials:
    """A set of serial numbers; made by `parse_serials`.

    Attributes:
        patterns: in which ``*`` stands for any text and ``?`` for one character.
        ranges: from one to another.
        listed: each by itself.
    """

    patterns: tuple[str, ...] = ()
    ranges: tuple[SerialRange, ...] = ()
    listed: frozenset[str] = frozenset()

    def __contains__(self, serial: str) -> bool:
        return (
            serial in self.listed
            or any(serial in one for one in self.ranges)
            or any(fnmatchcase(serial, pattern) for pattern in self.patterns)
        )

    def __str__(self) -> str:
        words = [*self.patterns, *map(str, self.ranges), *sorted(self.listed)]
        more = f" and {len(words) - _MANY} more" if len(words) > _MANY else ""
        return f"{', '.join(words[:_MANY])}{more}"


def parse_serials(texts: Iterable[str], *, each: bool = False) -> Serials:
    """Read what a policy names serial numbers by: ``A-0107``, ``A-0001..A-0100``, ``A-*``.

    Args:
        texts: as they are written.
        each: a bill of installation, which names each one and has no patterns.

    Raises:
        ConfigError: a range whose ends differ in prefix or digits or are the wrong way round, a pattern in a bill, or
            more of them than can be compared with at each join.
    """
    patterns, ranges, listed = [], [], set()
    for text in texts:
        if ".." in text:
            ranges.append(_range(text))
        elif not set(text) & _SPECIAL:
            listed.add(text)
        elif each:
            raise ConfigError(f"a bill of installation names each serial, and has no pattern such as {text[:60]!r}")
        else:
            patterns.append(text)
    if len(patterns) + len(ranges) > _MOST:
        raise ConfigError(f"expected at most {_MOST} patterns and ranges of serials in one place; a bill lists each")
    return Serials(tuple(patterns), tuple(ranges), frozenset(listed))


def _range(text: str) -> SerialRange:
    first, _, last = text.partition("..")
    if set(text) & _SPECIAL:
        raise ConfigError(f"expected a range or a pattern of serials, not both in one: {text[:60]!r}")
    low, high = _COUNTED.fullmatch(first), _COUNTED.fullmatch(last)
    if (
        low is None
        or high is None
        or low["prefix"] != high["prefix"]
        or len(low["digits"]) != len(high["digits"])
        or int(low["digits"]) > int(high["digits"])
    ):
        raise ConfigError(f"expected a range of serials such as A-0001..A-0100, got {text[:60]!r}")
    return SerialRange(low["prefix"], len(low["digits"]), int(low["digits"]), int(high["digits"]))
