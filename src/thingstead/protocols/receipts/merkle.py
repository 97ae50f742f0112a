"""Merkle trees with SHA-256, as far as a verifier needs them (RFC 9162 §2.1)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from thingstead.crypto.digest import digest
from thingstead.errors import AuthenticationError, DecodeError

__all__ = ["EMPTY_ROOT", "HASH_SIZE", "leaf_hash", "node_hash", "root_of_inclusion", "verify_consistency"]

HASH_SIZE = 32
EMPTY_ROOT = digest(b"")


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of one entry; the 0 in front keeps leaves and nodes apart (RFC 9162 §2.1.1)."""
    return digest(b"\x00" + leaf)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 9162 §2.1.1)."""
    return digest(b"\x01" + left + right)


def root_of_inclusion(leaf: bytes, *, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a tree must have for the proof to hold (RFC 9162 §2.1.3.2).

    Args:
        leaf: hash of the entry, as `leaf_hash` gives it.
        index: place of the entry, from 0.
        size: entries in the tree.
        path: hashes from the leaf's neighbour up, 32 bytes each.

    Raises:
        DecodeError: an index outside the tree, or a path that is not of its length.
    """
    if not 0 <= index < size:
        raise DecodeError(f"expected an index below the tree size {size}, got {index}", spec="RFC 9162 §2.1.3.2")
    _require_hashes(path)
    node, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise DecodeError("expected a shorter inclusion path", spec="RFC 9162 §2.1.3.2")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            node, last = _climb(node, last)
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise DecodeError("expected a longer inclusion path", spec="RFC 9162 §2.1.3.2")
    return root


def verify_consistency(
    *, first_size: int, first_root: bytes, second_size: int, second_root: bytes, path: Sequence[bytes]
) -> None:
    """Prove that the second tree holds the first one, unchanged, as its beginning (RFC 9162 §2.1.4.2).

    Raises:
        DecodeError: sizes or path that cannot be a proof.
        AuthenticationError: one of the roots does not follow from the path.
    """
    if not 0 < first_size <= second_size:
        raise DecodeError(f"expected 0 < {first_size} <= {second_size}", spec="RFC 9162 §2.1.4.2")
    _require_hashes(path)
    if first_size == second_size:
        if path:
            raise DecodeError("expected an empty path between trees of one size", spec="RFC 9162 §2.1.4.2")
        _require_equal(first_root, second_root)
        return
    steps = list(path)
    if first_size & (first_size - 1) == 0:
        steps.insert(0, first_root)
    if not steps:
        raise DecodeError("expected a consistency path", spec="RFC 9162 §2.1.4.2")
    old, new = _roots_of_consistency(steps, first_size - 1, second_size - 1)
    _require_equal(old, first_root)
    _require_equal(new, second_root)


def _roots_of_consistency(steps: Sequence[bytes], node: int, last: int) -> tuple[bytes, bytes]:
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise DecodeError("expected a shorter consistency path", spec="RFC 9162 §2.1.4.2")
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            node, last = _climb(node, last)
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    if last:
        raise DecodeError("expected a longer consistency path", spec="RFC 9162 §2.1.4.2")
    return old, new


def _climb(node: int, last: int) -> tuple[int, int]:
    """Skip the levels on which the right-most node has no sibling."""
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _require_hashes(path: Sequence[bytes]) -> None:
    if any(len(item) != HASH_SIZE for item in path):
        raise DecodeError(f"expected hashes of {HASH_SIZE} bytes in a Merkle path", spec="RFC 9162 §2.1.1")


def _require_equal(computed: bytes, given: bytes) -> None:
    if not hmac.compare_digest(computed, given):
        raise AuthenticationError("the two tree heads are not of one history", spec="RFC 9162 §2.1.4.2")
