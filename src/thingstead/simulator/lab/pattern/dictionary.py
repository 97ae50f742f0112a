"""Try name after name and word after word at a login (RFC 8576 §3, threat 1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act, Talk

__all__ = ["Bad"]

_WORDS = ("apple", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron")
_FORMS = {
    23: ("{name}\r\n", "{word}\r\n"),
    22: ("SSH-2.0-Lab\r\n", "{name} {word}\r\n"),
    80: ("POST /login HTTP/1.1\r\nHost: thing\r\nContent-Length: 11\r\n\r\n{name}={word}\r\n",),
}
"""What is said to a login by its port; the words are neutral, and open nothing."""


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """A connection for each attempt.

    Attributes:
        target: a thing's name; empty for a host outside.
        port: 22, 23 or 80.
        attempts: how many.
        every: seconds between two.
    """

    name: ClassVar[str] = "dictionary"
    choices: ClassVar[Mapping[str, tuple[object, ...]]] = {"port": tuple(_FORMS)}
    target: str = ""
    port: int = 23
    attempts: int = 40
    every: float = 0.5

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:
        """The whole dictionary, as often as it takes."""
        to = setting.cast.named(self.target).ipv4 if self.target else setting.cast.victim
        for number in range(self.attempts):
            name, word = setting.chance.choice(_WORDS), setting.chance.choice(_WORDS)
            lines = tuple([form.format(name=name, word=word).encode() for form in _FORMS[self.port]])
            yield number * self.every, Talk((setting.one.ipv4, next(setting.ports)), (to, self.port), lines)
