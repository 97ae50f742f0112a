"""Be a neighbour: speak under both of its addresses (RFC 8576 §3, threat 3)."""

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
    """What the neighbour may do, from another port of the bridge, and nothing in the frame tells them apart.

    Attributes:
        claimed: the neighbour, which goes on with its own life.
        times: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "copy"
    claimed: str = "camera-1"
    times: int = 150
    every: float = 1.0

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """SYNs to the cloud of the one that is copied."""
        copied = setting.cast.named(self.claimed)
        to, macs = (KINDS[copied.kind].cloud, 443), (copied.mac, setting.cast.gateway.mac)
        for number in range(self.times):
            source, sequence = (copied.ipv4, next(setting.ports)), setting.chance.randrange(1 << 32)
            syn = frame.tcp_syn(source, to, sequence=sequence, macs=macs)
            yield number * self.every, Raw(f"SYN being {copied.name}, {source[0]}:{source[1]} > {to[0]}:{to[1]}", syn)
