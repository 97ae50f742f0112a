"""Offer addresses, with oneself as everybody's router and resolver (RFC 2131; RFC 3118 §1)."""

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
    """Offers to all.

    Attributes:
        times: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "dhcp"
    times: int = 30
    every: float = 1.0

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """Each for another transaction."""
        one = setting.one
        for number in range(self.times):
            transaction = setting.chance.randrange(1 << 32)
            offer = frame.dhcp_offer(one.mac, server=one.ipv4, offered=one.ipv4 + 1000, transaction=transaction)
            yield number * self.every, Raw(f"DHCPOFFER: router and resolver {one.ipv4}", offer)
