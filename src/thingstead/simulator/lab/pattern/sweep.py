"""Ask many hosts for a port or two, as a worm does that looks for more of its kind (RFC 8576 §3, threat 1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import ClassVar

from thingstead.simulator.lab import frame
from thingstead.simulator.lab.cast import INTERNET
from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Raw

__all__ = ["Bad"]


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """A SYN each, and no state kept.

    Attributes:
        ports: tried at each host.
        hosts: how many.
        every: seconds between two.
        local: among the things here, not outside.
    """

    name: ClassVar[str] = "sweep"
    ports: tuple[int, ...] = (23, 2323)
    hosts: int = 200
    every: float = 0.02
    local: bool = False

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """Hosts in no order; a port of theirs each."""
        space = INTERNET[-1]
        near = [one.ipv4 for one in setting.cast.others(setting.one.name)]
        for number in range(self.hosts):
            far = IPv4Address(int(space.network_address) + setting.chance.randrange(space.num_addresses))
            to = near[number % len(near)] if self.local else far
            port = setting.chance.choice(self.ports)
            source, sequence = (setting.one.ipv4, next(setting.ports)), setting.chance.randrange(1 << 32)
            syn = frame.tcp_syn(source, (to, port), sequence=sequence, macs=setting.macs)
            yield number * self.every, Raw(f"SYN {source[0]}:{source[1]} > {to}:{port}", syn)
