"""Protect one message after the other under one nonce (Venona; RFC 8576 §3, threat 5; RFC 8613 §5.2)."""

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
    """OSCORE requests with one partial IV, and another ciphertext each.

    Attributes:
        times: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "reuse"
    times: int = 30
    every: float = 5.0

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """From one port, to the domain's endpoint."""
        source, to = (setting.one.ipv4, next(setting.ports)), (setting.cast.gateway.ipv4, 5683)
        for number in range(self.times):
            said = setting.chance.randbytes(24)
            request = frame.oscore_request(0x7000 + number, kid=setting.one.mac[-1], partial_iv=7, ciphertext=said)
            yield number * self.every, Datagram(source, to, request)
