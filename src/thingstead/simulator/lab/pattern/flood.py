"""Send one victim more than it can take (RFC 8576 §3, threat 11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab import frame
from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Datagram, Raw

__all__ = ["Bad"]


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """Packets of one kind to one host outside, a bounded number of them.

    Attributes:
        kind: ``udp`` or ``syn``.
        packets: how many.
        every: seconds between two.
        size: octets of each datagram.
    """

    name: ClassVar[str] = "flood"
    choices: ClassVar[Mapping[str, tuple[object, ...]]] = {"kind": ("udp", "syn")}
    kind: str = "udp"
    packets: int = 3000
    every: float = 0.001
    size: int = 512

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """The same again and again, from ever other ports."""
        to = setting.cast.victim, 8080
        for number in range(self.packets):
            source = setting.one.ipv4, next(setting.ports)
            if self.kind == "udp":
                yield number * self.every, Datagram(source, to, bytes(self.size))
                continue
            syn = frame.tcp_syn(source, to, sequence=setting.chance.randrange(1 << 32), macs=setting.macs)
            yield number * self.every, Raw(f"SYN {source[0]}:{source[1]} > {to[0]}:{to[1]}", syn)
