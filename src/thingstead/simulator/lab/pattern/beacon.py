"""Ask somebody outside for orders, in time with a clock (RFC 8576 §3, threat 1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Talk

__all__ = ["Bad"]


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """A short connection each time, to one host.

    Attributes:
        period: seconds between two.
        times: how many.
        jitter: share of a period that each may be off.
        port: of the host.
    """

    name: ClassVar[str] = "beacon"
    period: float = 60.0
    times: int = 40
    jitter: float = 0.02
    port: int = 4444

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """The same few octets each time."""
        to = setting.cast.attacker, self.port
        for number in range(self.times):
            off = setting.chance.uniform(0, self.jitter) * self.period
            yield number * self.period + off, Talk((setting.one.ipv4, next(setting.ports)), to, (b"any orders?\n",))
