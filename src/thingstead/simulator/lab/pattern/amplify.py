"""Ask things in a victim's name, so that their long answers drown it (RFC 8576 §3, threat 11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Datagram

__all__ = ["Bad"]

_SEARCH = b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nST: ssdp:all\r\n\r\n'


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """Questions to what searches for neighbours, from outside.

    Attributes:
        target: the thing that is to answer.
        packets: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "amplify"
    target: str = "hub-1"
    packets: int = 400
    every: float = 0.01

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """Each from the victim's address."""
        to = setting.cast.named(self.target).ipv4, 1900
        for number in range(self.packets):
            yield number * self.every, Datagram((setting.cast.victim, next(setting.ports)), to, _SEARCH)
