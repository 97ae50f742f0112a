"""What addresses stand for, learned from the answers that devices got (RFC 9726 §3): for as long as those say."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

__all__ = ["NameBook", "NameLimits"]


@dataclass(frozen=True, slots=True)
class NameLimits:
    """Bounds on what answers may make us remember.

    Attributes:
        max_addresses: that were named; the one that was named longest ago goes for a new one.
        max_names: of one address.
        min_seconds: a shorter time to live counts as this: who asked takes a moment to go there.
        max_seconds: a longer one counts as this.
    """

    max_addresses: int = 16_384
    max_names: int = 16
    min_seconds: int = 30
    max_seconds: int = 86_400


class NameBook:
    """Names by address, and when each ends.

    Args:
        limits: bounds.
    """

    def __init__(self, limits: NameLimits | None = None) -> None:
        self._limits = limits or NameLimits()
        self._ends: OrderedDict[bytes, OrderedDict[str, float]] = OrderedDict()

    def learn(self, name: str, address: bytes, *, at: float, ttl: int) -> None:
        """A name was answered with an address.

        Args:
            name: in lower case, without a dot at its end.
            address: packed.
            at: when.
            ttl: seconds for which the answer holds.
        """
        limits = self._limits
        ends = self._ends.pop(address, None) or OrderedDict()
        ends.pop(name, None)
        while len(ends) >= limits.max_names:
            ends.popitem(last=False)
        ends[name] = at + min(max(ttl, limits.min_seconds), limits.max_seconds)
        while len(self._ends) >= limits.max_addresses:
            self._ends.popitem(last=False)
        self._ends[address] = ends

    def names_of(self, address: bytes, at: float) -> tuple[str, ...]:
        """What the address stands for then, the newest first; empty where no answer holds."""
        ends = self._ends.get(address)
        if ends is None:
            return ()
        return tuple([name for name in reversed(ends) if at <= ends[name]])

    def shared(self, address: bytes, at: float) -> bool:
        """Whether names of more than one owner stand for it, as at large hosters (RFC 9726 §3.2)."""
        return len({_owner(name) for name in self.names_of(address, at)}) > 1


def _owner(name: str) -> str:
    """The last two labels: who registered a name, as far as that shows without a list of registries."""
    return ".".join(name.split(".")[-2:])
