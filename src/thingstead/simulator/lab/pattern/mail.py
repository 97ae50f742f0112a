"""Carry pictures out by mail, to somebody the thing never knew (the cctv case of RFC 8576 §3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Talk

__all__ = ["Bad"]

_ORDERS = (
    b"EHLO camera\r\n",
    b"MAIL FROM:<camera@home.example>\r\n",
    b"RCPT TO:<collector@drop.example>\r\n",
    b"DATA\r\n",
)


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """One mail after the other (RFC 5321 §4.1), a picture in each: octets of chance.

    Attributes:
        mails: how many.
        every: seconds between two.
        size: octets of a picture.
    """

    name: ClassVar[str] = "mail"
    mails: int = 30
    every: float = 20.0
    size: int = 4000

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """The same envelope each time."""
        to = setting.cast.mail, 25
        for number in range(self.mails):
            picture = setting.chance.randbytes(self.size // 2).hex().encode() + b"\r\n.\r\n"
            lines = (*_ORDERS, picture, b"QUIT\r\n")
            yield number * self.every, Talk((setting.one.ipv4, next(setting.ports)), to, lines)
