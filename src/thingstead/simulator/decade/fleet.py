"""Who lives through a decade: each thing's rhythm and clock, by chance from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

__all__ = ["EPOCH_OF_RESETS", "MODELS", "Character", "Rhythm", "Timepiece", "fleet"]

EPOCH_OF_RESETS = datetime(2000, 1, 1, tzinfo=UTC)
"""What a clock shows whose battery is empty."""

MODELS = {"acme": "LX-1", "brook": "TH-2"}


class Rhythm(StrEnum):
    """How often a thing is there."""

    STEADY = "always on"
    SEASONAL = "seasonal"
    SLEEPER = "sleeper"


class Timepiece(StrEnum):
    """What a thing knows of the time."""

    GOOD = "a good clock"
    NONE = "no clock"
    RESETS = "a clock that begins at 2000 after each power cut"
    AHEAD = "a clock that is years ahead after each power cut"


_DAYS: dict[Rhythm, tuple[int, int]] = {
    Rhythm.STEADY: (22, 26),
    Rhythm.SEASONAL: (90, 270),
    Rhythm.SLEEPER: (300, 900),
}
_SHARE_OF_SLEEPERS, _SHARE_OF_STEADY = 0.20, 0.03
_SHARES_OF_CLOCKS = {Timepiece.GOOD: 0.7, Timepiece.NONE: 0.1, Timepiece.RESETS: 0.15, Timepiece.AHEAD: 0.05}
_SHARE_OF_BROOK = 0.3


@dataclass(frozen=True, slots=True)
class Character:
    """What a thing is like.

    Attributes:
        serial: the maker's number.
        maker: who made it.
        rhythm: how often it is there.
        timepiece: what it knows of the time.
    """

    serial: str
    maker: str
    rhythm: Rhythm
    timepiece: Timepiece

    @property
    def words(self) -> str:
        """The same for people."""
        return f"{self.rhythm}, {self.timepiece}"

    def away(self, chance: random.Random) -> int:
        """Days until it is there again."""
        return chance.randint(*_DAYS[self.rhythm])


def fleet(size: int, chance: random.Random) -> tuple[Character, ...]:
    """So many things: a fifth are sleepers, three in a hundred are always on, the others come with the seasons."""
    rhythms = _dealt(size, chance)
    clocks = chance.choices(tuple(_SHARES_OF_CLOCKS), tuple(_SHARES_OF_CLOCKS.values()), k=size)
    makers = ["brook" if chance.random() < _SHARE_OF_BROOK else "acme" for _ in range(size)]
    return tuple(
        Character(f"{maker[0].upper()}{number:05}", maker, rhythm, clock)
        for number, (maker, rhythm, clock) in enumerate(zip(makers, rhythms, clocks, strict=True), 1)
    )


def _dealt(size: int, chance: random.Random) -> list[Rhythm]:
    rhythms = list(_in_shares(size))
    chance.shuffle(rhythms)
    return rhythms


def _in_shares(size: int) -> Iterator[Rhythm]:
    sleepers, steady = round(size * _SHARE_OF_SLEEPERS), max(1, round(size * _SHARE_OF_STEADY))
    for number in range(size):
        yield (
            Rhythm.SLEEPER if number < sleepers else (Rhythm.STEADY if number < sleepers + steady else Rhythm.SEASONAL)
        )
