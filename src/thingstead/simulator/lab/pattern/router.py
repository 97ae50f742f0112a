"""Offer to be everybody's router (RFC 3756 §4.2.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import ClassVar

from thingstead.simulator.lab import frame
from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Raw

__all__ = ["Bad"]

_PREFIX = IPv6Address("2001:db8:bad::")


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """Router advertisements with a prefix of their own.

    Attributes:
        times: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "router"
    times: int = 30
    every: float = 2.0

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """From the link-local address that goes with the interface (RFC 4291, Appendix A)."""
        mac = setting.one.mac
        local = IPv6Address(b"\xfe\x80" + bytes(6) + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:])
        told = frame.router_advertisement(mac, source=local, prefix=_PREFIX)
        for number in range(self.times):
            yield number * self.every, Raw(f"RA from {local}: {_PREFIX}/64", told)
