"""What a pattern of bad traffic is, and all that there are: one module here makes one, and no table names it."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from random import Random
from typing import ClassVar, Protocol

from thingstead.simulator.lab.cast import Cast, Character
from thingstead.simulator.lab.script import Act

__all__ = ["Pattern", "Setting", "patterns"]

_FIRST_PORT, _PORTS = 40_000, 20_000
_OWN = __name__.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a pattern plays.

    Attributes:
        cast: who is there.
        one: who does it.
        chance: for whatever is left to it.
        ports: source ports that ordinary life does not use, so that bad packets are told by them.
    """

    cast: Cast
    one: Character
    chance: Random
    ports: Iterator[int]

    @classmethod
    def of(cls, cast: Cast, one: Character, chance: Random) -> Setting:
        """One whose ports begin anywhere."""
        numbers = count(chance.randrange(_PORTS))
        return cls(cast, one, chance, (_FIRST_PORT + number % _PORTS for number in numbers))

    @property
    def macs(self) -> tuple[bytes, bytes]:
        """Of the sender and of the gateway."""
        return self.one.mac, self.cast.gateway.mac


class Pattern(Protocol):
    """A frozen dataclass whose fields, each with a default, are what a scenario may set.

    Attributes:
        name: how scenarios call it.
        silences: it ends the ordinary life of who does it.
        choices: the only values of a field, where not every one of its kind will do.
    """

    name: ClassVar[str]
    silences: ClassVar[bool] = False
    choices: ClassVar[Mapping[str, tuple[object, ...]]] = {}

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """What is done, and when: seconds since the pattern began, never falling."""
        ...


def patterns() -> Mapping[str, type[Pattern]]:
    """Every pattern by name: the class called `Bad` of each module beside this one."""
    package = __name__.rpartition(".")[0]
    names = sorted(one.name for one in pkgutil.iter_modules(import_module(package).__path__) if one.name != _OWN)
    classes: list[type[Pattern]] = [import_module(f"{package}.{name}").Bad for name in names]
    return {one.name: one for one in classes}
