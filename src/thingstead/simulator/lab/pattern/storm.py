"""Report the same again and again, as a thing does whose retries have gone wrong (RFC 8576 §5.1.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab import frame
from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Datagram

__all__ = ["Bad"]


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """Datagrams to the domain's endpoint, where the thing may send.

    Attributes:
        packets: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "storm"
    packets: int = 2000
    every: float = 0.005

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """From one port, numbered as it should be."""
        source, to = (setting.one.ipv4, next(setting.ports)), (setting.cast.gateway.ipv4, 5683)
        for number in range(self.packets):
            said = setting.chance.randbytes(24)
            request = frame.oscore_request(number, kid=setting.one.mac[-1], partial_iv=0x8000 + number, ciphertext=said)
            yield number * self.every, Datagram(source, to, request)
