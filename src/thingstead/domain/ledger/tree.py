"""The Merkle tree over the leaves: grown one leaf at a time, with its proofs (RFC 9162 §2.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from thingstead.errors import StorageError
from thingstead.protocols.receipts.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hash, node_hash

__all__ = ["MerkleTree"]


class MerkleTree:
    """The tree without its lowest levels: a quarter of a byte of memory per leaf.

    What is left out is hashed anew from a few leaves when a proof wants it, and must then be what it was. Appending
    costs one hash and, on average, one more; a root of all leaves costs a few per level.

    Args:
        leaves: reads the leaves from one place up to another, where the caller keeps them.
        height: levels that are left out.
    """

    def __init__(self, leaves: Callable[[int, int], Iterable[bytes]], *, height: int = 8) -> None:
        self._leaves = leaves
        self._height = height
        self._kept = _Levels()
        self._newest = _Levels()
        self._read: tuple[int, _Levels] = (-1, _Levels())

    @property
    def size(self) -> int:
        """Leaves so far."""
        return (self._kept.size << self._height) + self._newest.size

    def append(self, leaf: bytes) -> None:
        """Add one leaf, given as its bytes."""
        self._newest.append(leaf_hash(leaf))
        if self._newest.size == 1 << self._height:
            self._kept.append(self._newest.node(self._height, 0))
            self._newest = _Levels()

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves; of all of them if not said (RFC 9162 §2.1.1).

        Raises:
            StorageError: leaves read again, here as for a path, are not those that were appended.
        """
        size = self._checked(size)
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion_path(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """What proves leaf `index` within the first `size` leaves (RFC 9162 §2.1.3.1)."""
        size = self._checked(size)
        if not 0 <= index < size:
            raise ValueError(f"leaf {index} is not among the first {size}")
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        return tuple(reversed(path))

    def consistency_path(self, first: int, size: int | None = None) -> tuple[bytes, ...]:
        """What proves that the first `first` leaves begin the first `size` (RFC 9162 §2.1.4.1)."""
        size = self._checked(size)
        if not 0 < first <= size:
            raise ValueError(f"a tree of {first} leaves does not begin one of {size}")
        path: list[bytes] = []
        start, end, whole = 0, size, True
        while end != first:
            middle = start + _split(end - start)
            if first <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._range(start, end))
        return tuple(reversed(path))

    def _checked(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise ValueError(f"the tree has {self.size} leaves, not {size}")
        return size

    def _range(self, start: int, end: int) -> bytes:
        """Root over leaves start..end-1, where `start` is a multiple of the largest power of two below the span."""
        span = end - start
        if span & (span - 1) == 0:
            level = span.bit_length() - 1
            return self._node(level, start >> level)
        middle = start + _split(span)
        return node_hash(self._range(start, middle), self._range(middle, end))

    def _node(self, level: int, index: int) -> bytes:
        below = self._height - level
        if below <= 0:
            return self._kept.node(-below, index)
        subtree = index >> below
        levels = self._newest if subtree == self._kept.size else self._again(subtree)
        return levels.node(level, index - (subtree << below))

    def _again(self, subtree: int) -> _Levels:
        """The levels below a kept node; those of the last question stay, for a path asks for several of one subtree."""
        place, levels = self._read
        if place != subtree:
            levels = _Levels()
            for leaf in self._leaves(subtree << self._height, (subtree + 1) << self._height):
                levels.append(leaf_hash(leaf))
            if levels.size != 1 << self._height or levels.node(self._height, 0) != self._kept.node(0, subtree):
                raise StorageError("ledger entries were changed since they were read; verify it")
            self._read = (subtree, levels)
        return levels


class _Levels:
    """All complete subtrees over some nodes, level by level."""

    __slots__ = ("_levels",)

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @property
    def size(self) -> int:
        """Nodes of the lowest level."""
        return len(self._levels[0]) // HASH_SIZE

    def append(self, node: bytes) -> None:
        """Add one node to the lowest level, and above it what it completes."""
        for level in range(len(self._levels) + 1):
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += node
            nodes = len(self._levels[level]) // HASH_SIZE
            if nodes & 1:
                return
            node = node_hash(self.node(level, nodes - 2), self.node(level, nodes - 1))

    def node(self, level: int, index: int) -> bytes:
        return bytes(self._levels[level][index * HASH_SIZE : (index + 1) * HASH_SIZE])


def _split(span: int) -> int:
    """The largest power of two below `span` (RFC 9162 §2.1.1)."""
    return 1 << ((span - 1).bit_length() - 1)
