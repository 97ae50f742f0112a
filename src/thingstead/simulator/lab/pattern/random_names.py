"""Ask for names that nobody has, so that every question reaches their server (Dyn; RFC 8576 §3, threat 11)."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab import frame
from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Datagram

__all__ = ["Bad"]


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """Questions below one name, each asked once.

    Attributes:
        below: whose server is to drown.
        names: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "random-names"
    below: str = "victim.example"
    names: int = 300
    every: float = 0.05

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """Twelve letters of chance before the name."""
        for number in range(self.names):
            label = "".join(setting.chance.choices(string.ascii_lowercase, k=12))
            query = frame.dns_query(f"{label}.{self.below}", number=setting.chance.randrange(1 << 16))
            to = setting.cast.resolver, 53
            yield number * self.every, Datagram((setting.one.ipv4, next(setting.ports)), to, query)
