"""HSS/LMS signatures: verification alone (RFC 8554, RFC 9858), because no well-kept library here has it.

Key, signature and data are public, so nothing in here has to take constant time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature

__all__ = ["HssPublicKey"]

_MAX_LEVELS = 8
_IDENTIFIER_SIZE = 16
_D_PBLC, _D_MESG, _D_LEAF, _D_INTR = b"\x80\x80", b"\x81\x81", b"\x82\x82", b"\x83\x83"


@dataclass(frozen=True, slots=True)
class _Hash:
    apply: Callable[[bytes], bytes]
    size: int


@dataclass(frozen=True, slots=True)
class _OneTime:
    """One row of RFC 8554 table 1: chains of ``2**width - 1`` steps, and how far the checksum is shifted."""

    hash: _Hash
    width: int
    chains: int
    shift: int


@dataclass(frozen=True, slots=True)
class _Tree:
    """One row of RFC 8554 table 2."""

    hash: _Hash
    height: int


# Number of LM-OTS with width 1, number of LMS with height 5, hash; the others count on from there (RFC 9858 §3, §4).
_FAMILIES = (
    (0x01, 0x05, _Hash(lambda data: hashlib.sha256(data).digest(), 32)),
    (0x05, 0x0A, _Hash(lambda data: hashlib.sha256(data).digest()[:24], 24)),
    (0x09, 0x0F, _Hash(lambda data: hashlib.shake_256(data).digest(32), 32)),
    (0x0D, 0x14, _Hash(lambda data: hashlib.shake_256(data).digest(24), 24)),
)
_CHAINS = {
    32: ((1, 265, 7), (2, 133, 6), (4, 67, 4), (8, 34, 0)),
    24: ((1, 200, 8), (2, 101, 6), (4, 51, 4), (8, 26, 0)),
}
_HEIGHTS = (5, 10, 15, 20, 25)
_ONE_TIME = {
    first + place: _OneTime(family, *row)
    for first, _, family in _FAMILIES
    for place, row in enumerate(_CHAINS[family.size])
}
_TREES = {
    first + place: _Tree(family, height) for _, first, family in _FAMILIES for place, height in enumerate(_HEIGHTS)
}


class _Reader:
    """Takes what comes next; `ValueError` where nothing does."""

    __slots__ = ("_data", "_place")

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def take(self, size: int) -> bytes:
        taken = self._data[self._place : self._place + size]
        if len(taken) != size:
            raise ValueError("cut short")
        self._place += size
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def hashes(self, size: int, count: int) -> list[bytes]:
        return [self.take(size) for _ in range(count)]

    def require_end(self) -> None:
        if self._place != len(self._data):
            raise ValueError("more bytes than expected")


@dataclass(frozen=True, slots=True)
class _LmsSignature:
    """A signature of one tree, and of one of its leaves (RFC 8554 §4.5, §5.4)."""

    leaf: int
    randomizer: bytes
    links: list[bytes]
    path: list[bytes]


@dataclass(frozen=True, slots=True)
class _LmsPublicKey:
    """The public key of one tree (RFC 8554 §5.3)."""

    tree: _Tree
    one_time: _OneTime
    identifier: bytes
    root: bytes

    @classmethod
    def read(cls, encoded: bytes) -> _LmsPublicKey:
        reader = _Reader(encoded)
        tree, one_time = _TREES.get(reader.number()), _ONE_TIME.get(reader.number())
        if tree is None or one_time is None or tree.hash is not one_time.hash:
            raise ValueError("parameter sets that do not exist, or of two hash functions")
        key = cls(tree, one_time, reader.take(_IDENTIFIER_SIZE), reader.take(tree.hash.size))
        reader.require_end()
        return key

    @property
    def size(self) -> int:
        """Bytes of the encoded key."""
        return 8 + _IDENTIFIER_SIZE + self.tree.hash.size

    def read_signature(self, reader: _Reader) -> _LmsSignature:
        """The signature that comes next, which must be of this key's parameter sets (algorithm 6a, step 2)."""
        row, size = self.one_time, self.tree.hash.size
        leaf = reader.number()
        if _ONE_TIME.get(reader.number()) is not row:
            raise ValueError("another LM-OTS")
        randomizer, links = reader.take(size), reader.hashes(size, row.chains)
        if _TREES.get(reader.number()) is not self.tree or leaf >> self.tree.height:
            raise ValueError("another LMS, or a leaf beside the tree")
        return _LmsSignature(leaf, randomizer, links, reader.hashes(size, self.tree.height))

    def verify(self, signature: _LmsSignature, message: bytes) -> None:
        """Climb from the one-time key that would have made the signature to the root (algorithm 6a)."""
        apply, node = self.tree.hash.apply, (1 << self.tree.height) + signature.leaf
        value = apply(self._prefix(node) + _D_LEAF + self._one_time_key(signature, message))
        for beside in signature.path:
            pair = beside + value if node & 1 else value + beside
            node >>= 1
            value = apply(self._prefix(node) + _D_INTR + pair)
        if value != self.root:
            raise InvalidSignature

    def _one_time_key(self, signature: _LmsSignature, message: bytes) -> bytes:
        """RFC 8554 §4.6, algorithm 4b; the checksum is that of §4.4."""
        row, apply, prefix = self.one_time, self.tree.hash.apply, self._prefix(signature.leaf)
        last = (1 << row.width) - 1
        digest = apply(prefix + _D_MESG + signature.randomizer + message)
        checksum = sum([last - digit for digit in _digits(digest, row.width)]) << row.shift
        ends = []
        for chain, (link, done) in enumerate(
            # The checksum's last digits may be beyond the last chain: they are always 0.
            zip(signature.links, _digits(digest + checksum.to_bytes(2, "big"), row.width), strict=False)
        ):
            place, value = prefix + chain.to_bytes(2, "big"), link
            for step in range(done, last):
                value = apply(place + bytes((step,)) + value)
            ends.append(value)
        return apply(prefix + _D_PBLC + b"".join(ends))

    def _prefix(self, number: int) -> bytes:
        return self.identifier + number.to_bytes(4, "big")


def _digits(data: bytes, width: int) -> Iterator[int]:
    """`data` in digits of `width` bits, the highest first (RFC 8554 §3.1.3)."""
    mask = (1 << width) - 1
    for byte in data:
        for shift in range(8 - width, -1, -width):
            yield byte >> shift & mask


class HssPublicKey:
    """A public key of up to eight levels of trees, with the methods that keys of `cryptography` have."""

    __slots__ = ("_levels", "_top")

    def __init__(self, levels: int, top: _LmsPublicKey) -> None:
        self._levels, self._top = levels, top

    @classmethod
    def from_public_bytes(cls, data: bytes) -> HssPublicKey:
        """Read a key (RFC 8554 §6.1): u32 levels and the topmost tree's key; 60 bytes, 52 with hashes of 24.

        Raises:
            ValueError: outside the grammar, or of parameter sets that nobody has registered.
        """
        levels = int.from_bytes(data[:4], "big")
        if not 1 <= levels <= _MAX_LEVELS:
            raise ValueError("expected one to eight levels")
        return cls(levels, _LmsPublicKey.read(data[4:]))

    def verify(self, signature: bytes, data: bytes) -> None:
        """Verify a signature: each tree signs the key of the next one, and the last one `data` (RFC 8554 §6.3).

        No signature takes more than 8,700 hashes for each level of its key (w = 8).

        Raises:
            InvalidSignature: outside the grammar, by another key, or over other data.
        """
        reader, key = _Reader(signature), self._top
        try:
            if reader.number() != self._levels - 1:
                raise ValueError("another number of levels")
            for _ in range(self._levels - 1):
                signed = key.read_signature(reader)
                encoded = reader.take(key.size)
                key.verify(signed, encoded)
                key = _LmsPublicKey.read(encoded)
            last = key.read_signature(reader)
            reader.require_end()
        except ValueError:
            raise InvalidSignature from None
        key.verify(last, data)
