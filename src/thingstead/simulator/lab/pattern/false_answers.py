"""Answer for the resolver: a name's address is where the attacker likes (RFC 3833 §2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab import frame
from thingstead.simulator.lab.habit import cloud_name
from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Raw

__all__ = ["Bad"]


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """Answers under the resolver's address, for names that others ask for.

    Attributes:
        times: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "false-answers"
    times: int = 40
    every: float = 0.5

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """To each of the others in turn, with a guessed number."""
        others = setting.cast.others(setting.one.name)
        for number in range(self.times):
            to = others[number % len(others)]
            query = frame.dns_query(cloud_name(to.kind), number=setting.chance.randrange(1 << 16))
            answer = frame.dns_answer(query, setting.cast.attacker)
            source = setting.cast.resolver, 53
            forged = frame.udp(source, (to.ipv4, next(setting.ports)), answer, macs=(setting.one.mac, to.mac))
            yield number * self.every, Raw(f"DNS to {to.name} as {source[0]}: {cloud_name(to.kind)}", forged)
