"""Say that the gateway's address, or a neighbour's, is one's own (RFC 826; threat model of RFC 3756 for IPv4)."""

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
    """Answers to questions nobody asked, to everybody.

    Attributes:
        claimed: whose address; empty for the gateway's.
        times: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "arp"
    claimed: str = ""
    times: int = 40
    every: float = 1.0

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """To each of the others, and to the gateway, in turn."""
        cast, one = setting.cast, setting.one
        whose = cast.named(self.claimed) if self.claimed else cast.gateway
        told = [other for other in (*cast.others(one.name), cast.gateway) if other is not whose]
        for number in range(self.times):
            to = told[number % len(told)]
            reply = frame.arp_reply(one.mac, claimed=whose.ipv4, to_mac=to.mac, to=to.ipv4)
            yield number * self.every, Raw(f"ARP to {to.name}: {whose.ipv4} is at {one.mac.hex(':')}", reply)
