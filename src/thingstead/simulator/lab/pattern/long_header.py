"""Post a header that is too long to where things are configured (the TR-069 case of RFC 8576 §3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Talk

__all__ = ["Bad"]


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """One request to each of the others: it is long, and that is all that is wrong with it.

    Attributes:
        port: where it is sent.
        size: octets of the header.
        times: how often everybody gets one.
        every: seconds between two.
    """

    name: ClassVar[str] = "long-header"
    port: int = 7547
    size: int = 4000
    times: int = 4
    every: float = 0.5

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """One after the other, and again."""
        line = b"POST /update HTTP/1.1\r\nHost: thing\r\nX-Name: " + b"A" * self.size + b"\r\n\r\n"
        for number, to in enumerate(setting.cast.others(setting.one.name) * self.times):
            source = setting.one.ipv4, next(setting.ports)
            yield number * self.every, Talk(source, (to.ipv4, self.port), (line,))
