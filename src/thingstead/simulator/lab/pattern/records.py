"""Protect one record after the other under one nonce, as a broken stack of TLS 1.2 does (RFC 5288 §3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab.cast import KINDS
from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Talk

__all__ = ["Bad"]

_NONCE, _REPORT = bytes(8), 40


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """Connections to its own cloud, with two records of one explicit nonce in each.

    Attributes:
        times: how many connections.
        every: seconds between two.
    """

    name: ClassVar[str] = "records"
    times: int = 20
    every: float = 5.0

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """To where it may speak by any rule."""
        cloud = KINDS[setting.one.kind].cloud, 443
        for number in range(self.times):
            reports = [_NONCE + setting.chance.randbytes(_REPORT) for _ in range(2)]
            records = [b"\x17\x03\x03" + len(said).to_bytes(2, "big") + said for said in reports]
            yield number * self.every, Talk((setting.one.ipv4, next(setting.ports)), cloud, tuple(records))
