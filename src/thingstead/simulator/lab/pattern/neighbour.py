"""Say that the gateway's IPv6 address is one's own (RFC 3756 §4.1.1)."""

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
    """Neighbour advertisements that override.

    Attributes:
        times: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "neighbour"
    times: int = 40
    every: float = 1.0

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """The same to all nodes, again and again."""
        claimed = setting.cast.gateway.ipv6
        if claimed is None:
            raise ValueError("the gateway has an IPv6 address")
        told = frame.neighbour_advertisement(setting.one.mac, claimed=claimed)
        for number in range(self.times):
            yield number * self.every, Raw(f"NA: {claimed} is at {setting.one.mac.hex(':')}", told)
