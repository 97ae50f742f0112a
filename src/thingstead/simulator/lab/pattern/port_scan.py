"""Ask one neighbour for one port after the other (RFC 8576 §3, threat 11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab import frame
from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Raw

__all__ = ["Bad"]


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """A SYN for each port.

    Attributes:
        target: a thing's name; empty for the gateway.
        ports: how many, from 1 on and in no order.
        every: seconds between two.
    """

    name: ClassVar[str] = "port-scan"
    target: str = ""
    ports: int = 300
    every: float = 0.02

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """One segment each, all to one host."""
        to = setting.cast.named(self.target) if self.target else setting.cast.gateway
        for number, port in enumerate(setting.chance.sample(range(1, self.ports + 1), self.ports)):
            source, sequence = (setting.one.ipv4, next(setting.ports)), setting.chance.randrange(1 << 32)
            syn = frame.tcp_syn(source, (to.ipv4, port), sequence=sequence, macs=setting.macs)
            yield number * self.every, Raw(f"SYN {source[0]}:{source[1]} > {to.ipv4}:{port}", syn)
