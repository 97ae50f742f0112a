"""Speak under a neighbour's address (RFC 8576 §3, threat 9; RFC 2827)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab import frame
from thingstead.simulator.lab.cast import KINDS
from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Raw

__all__ = ["Bad"]


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """What the neighbour may do, done in its name from another interface.

    Attributes:
        claimed: the neighbour.
        times: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "forge"
    claimed: str = "plug-1"
    times: int = 60
    every: float = 0.5

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """SYNs to the cloud of the one that is copied."""
        copied = setting.cast.named(self.claimed)
        to = KINDS[copied.kind].cloud, 443
        for number in range(self.times):
            source, sequence = (copied.ipv4, next(setting.ports)), setting.chance.randrange(1 << 32)
            syn = frame.tcp_syn(source, to, sequence=sequence, macs=setting.macs)
            yield number * self.every, Raw(f"SYN as {copied.name}, {source[0]}:{source[1]} > {to[0]}:{to[1]}", syn)
