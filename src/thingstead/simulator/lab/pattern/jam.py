"""Drown a radio, or cut its power: a thing is heard no more, and nobody sent it a packet (RFC 8576 §3, threat 11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from thingstead.simulator.lab.pattern.pattern import Pattern, Setting
from thingstead.simulator.lab.script import Act

__all__ = ["Bad"]


@dataclass(frozen=True, slots=True)
class Bad(Pattern):
    """The thing's ordinary life ends; it does nothing bad itself."""

    name: ClassVar[str] = "jam"
    silences: ClassVar[bool] = True

    def acts(self, setting: Setting, /) -> Iterator[tuple[float, Act]]:  # noqa: ARG002  nothing is done
        """Nothing."""
        return iter(())
