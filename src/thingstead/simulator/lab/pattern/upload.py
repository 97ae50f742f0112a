"""Carry what was seen and heard out, as fast as it goes, to an address that no name led to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Talk

__all__ = ["Bad"]


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """One connection after the other, each with octets of chance.

    Attributes:
        times: how many.
        every: seconds between two, on average.
        size: octets of each.
    """

    name: ClassVar[str] = "upload"
    times: int = 60
    every: float = 1.0
    size: int = 16_000

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """To the attacker, on a port that everything may use."""
        to = setting.cast.attacker, 443
        at = 0.0
        for _ in range(self.times):
            at += self.every * setting.chance.uniform(0.1, 1.9)
            seen = setting.chance.randbytes(self.size)
            yield at, Talk((setting.one.ipv4, next(setting.ports)), to, (seen,))
