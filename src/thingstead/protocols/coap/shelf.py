"""Things kept for peers for a while, bounded in number, in number per peer, in bytes and in age."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Shelf", "Shelved"]

T = TypeVar("T")


class Shelf(Generic[T]):
    """Items by peer and key, in order of their last use; what is over a bound is the oldest, which gives way.

    Args:
        max_items: items at one time.
        max_items_per_peer: items of one peer; its own oldest gives way, never another peer's.
        max_bytes: of all items together; an item that does not fit is not taken.
        max_age: seconds that an item may rest unused.
    """

    __slots__ = ("_bytes", "_items", "_max_age", "_max_bytes", "_max_items", "_max_items_per_peer")

    def __init__(self, *, max_items: int, max_items_per_peer: int, max_bytes: int, max_age: float) -> None:
        self._items: dict[tuple[Hashable, Hashable], tuple[T, int, float]] = {}
        self._bytes = 0
        self._max_items = max_items
        self._max_items_per_peer = max_items_per_peer
        self._max_bytes = max_bytes
        self._max_age = max_age

    def __len__(self) -> int:
        return len(self._items)

    @property
    def held(self) -> int:
        """Bytes of all items."""
        return self._bytes

    def put(self, peer: Hashable, key: Hashable, item: T, *, size: int, now: float) -> bool:
        """Keep `item`, in the place of one with the same peer and key; False when its bytes do not fit."""
        self._drop((peer, key))
        self.expire(now)
        own = [name for name in self._items if name[0] == peer]
        if len(own) >= self._max_items_per_peer:
            self._drop(own[0])
        elif len(self._items) >= self._max_items:
            self._drop(next(iter(self._items)))
        if self._bytes + size > self._max_bytes:
            return False
        self._items[peer, key] = (item, size, now)
        self._bytes += size
        return True

    def take(self, peer: Hashable, key: Hashable, now: float) -> T | None:
        """Remove and return an item; None when there is none, or it is too old."""
        entry = self._drop((peer, key))
        return None if entry is None or now - entry[2] > self._max_age else entry[0]

    def look(self, peer: Hashable, key: Hashable, now: float) -> T | None:
        """Return an item and count it as used now; None when there is none, or it is too old."""
        entry = self._drop((peer, key))
        if entry is None or now - entry[2] > self._max_age:
            return None
        self._items[peer, key] = (entry[0], entry[1], now)
        self._bytes += entry[1]
        return entry[0]

    def keys(self, peer: Hashable) -> list[Hashable]:
        """The keys of what is kept for `peer`, the one used last at the end."""
        return [key for owner, key in self._items if owner == peer]

    def forget(self, peer: Hashable) -> None:
        """Drop every item of `peer`."""
        for name in [name for name in self._items if name[0] == peer]:
            self._drop(name)

    def expire(self, now: float) -> None:
        """Drop what has rested for too long."""
        while self._items:
            name, entry = next(iter(self._items.items()))
            if now - entry[2] <= self._max_age:
                return
            self._drop(name)

    def _drop(self, name: tuple[Hashable, Hashable]) -> tuple[T, int, float] | None:
        entry = self._items.pop(name, None)
        if entry is not None:
            self._bytes -= entry[1]
        return entry


class Shelved(Generic[T]):
    """The base of what keeps something for its peers on one shelf, and says how much that is."""

    __slots__ = ("_shelf",)

    def __init__(self, shelf: Shelf[T]) -> None:
        self._shelf = shelf

    def __len__(self) -> int:
        return len(self._shelf)

    @property
    def held(self) -> int:
        """Bytes of all that is kept."""
        return self._shelf.held

    def forget(self, peer: Hashable) -> None:
        """Drop what is kept for `peer`."""
        self._shelf.forget(peer)
