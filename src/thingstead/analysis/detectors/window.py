"""What was seen of late, and no more of it than fits: the memory that detectors count in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

__all__ = ["MAX_DEVICES", "MAX_KEYS", "PerKey", "Window"]

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")
_W = TypeVar("_W", bound=Hashable)

MAX_DEVICES, MAX_KEYS = 16_384, 2048
"""Devices, and pairs or names, that one detector remembers; what was unused the longest goes for what is new."""


class PerKey(Generic[_K, _V]):
    """Something for each key, made when first asked for.

    Args:
        make: makes it.
        most: keys that are kept.
    """

    def __init__(self, make: Callable[[], _V], most: int = MAX_KEYS) -> None:
        self._make = make
        self._most = most
        self._kept: OrderedDict[_K, _V] = OrderedDict()

    def __getitem__(self, key: _K) -> _V:
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._make()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return kept

    def __setitem__(self, key: _K, value: _V) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def __contains__(self, key: _K) -> bool:
        return key in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def items(self) -> Iterator[tuple[_K, _V]]:
        """What is kept now; it may be changed meanwhile."""
        return iter(tuple(self._kept.items()))

    def drop(self, key: _K) -> None:
        """Forget one."""
        self._kept.pop(key, None)


class Window(Generic[_W]):
    """Values of the last so many seconds.

    Args:
        seconds: how long one counts.
        most: values that are kept; the oldest go first.
    """

    __slots__ = ("_counts", "_most", "_seconds", "_seen")

    def __init__(self, seconds: float, most: int = 256) -> None:
        self._seconds = seconds
        self._most = most
        # There are thousands, most of them short: a deque and a Counter of their own have a kilobyte when empty.
        self._seen: list[tuple[float, _W]] = []
        self._counts: dict[_W, int] = {}

    def add(self, at: float, value: _W) -> int:
        """Note one, and forget what is too old; how many are left."""
        seen = self._seen
        while seen and (seen[0][0] <= at - self._seconds or len(seen) == self._most):
            self._forget()
        seen.append((at, value))
        self._counts[value] = self._counts.get(value, 0) + 1
        return len(seen)

    def drop(self, value: _W) -> None:
        """Forget a value: it does not count after all."""
        if self._counts.pop(value, 0):
            self._seen[:] = [one for one in self._seen if one[1] != value]

    def _forget(self) -> None:
        _, gone = self._seen.pop(0)
        self._counts[gone] -= 1
        if not self._counts[gone]:
            del self._counts[gone]

    @property
    def distinct(self) -> int:
        """Different values among them."""
        return len(self._counts)

    @property
    def span(self) -> tuple[float, float]:
        """When the first and the last of them came."""
        return self._seen[0][0], self._seen[-1][0]

    def values(self) -> tuple[_W, ...]:
        """Different values, in the order in which they came first."""
        return tuple(self._counts)

    def counts(self) -> tuple[int, ...]:
        """How often each of `values` is among them."""
        return tuple(self._counts.values())

    def clear(self) -> None:
        """Begin anew."""
        self._seen.clear()
        self._counts.clear()
