"""The Merkle tree over the leaves: grown one leaf at a time, with its proofs (RFC 9162 §2.1)."""

from __future__ import annotations

from thingstead.protocols.receipts.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hash, node_hash

__all__ = ["MerkleTree"]


class MerkleTree:
    """All complete subtrees of the tree, level by level: 64 bytes of memory per leaf.

    Appending costs one hash and, on average, one more; a root or a proof costs a few per level.
    """

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @property
    def size(self) -> int:
        """Leaves so far."""
        return len(self._levels[0]) // HASH_SIZE

    def append(self, leaf: bytes) -> None:
        """Add one leaf, given as its bytes."""
        carried = leaf_hash(leaf)
        for level in range(len(self._levels) + 1):
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += carried
            nodes = len(self._levels[level]) // HASH_SIZE
            if nodes & 1:
                return
            carried = node_hash(self._node(level, nodes - 2), self._node(level, nodes - 1))

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves; of all of them if not said (RFC 9162 §2.1.1)."""
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
        return bytes(self._levels[level][index * HASH_SIZE : (index + 1) * HASH_SIZE])


def _split(span: int) -> int:
    """The largest power of two below `span` (RFC 9162 §2.1.1)."""
    return 1 << ((span - 1).bit_length() - 1)
