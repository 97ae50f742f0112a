import hashlib

import pytest

from thingstead.domain.ledger.tree import MerkleTree
from thingstead.protocols.receipts import merkle

_LEAVES = [bytes([n]) * n for n in range(20)]


def _tree(size: int) -> MerkleTree:
    tree = MerkleTree()
    for leaf in _LEAVES[:size]:
        tree.append(leaf)
    return tree


def _root_by_definition(leaves):
    """RFC 9162 §2.1.1 as it is written, with nothing kept."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + _root_by_definition(leaves[:k]) + _root_by_definition(leaves[k:])).digest()


@pytest.mark.spec("RFC 9162 2.1.1")
@pytest.mark.parametrize("size", range(len(_LEAVES) + 1))
def test_the_root_is_that_of_the_definition_for_every_size_so_far(size):
    tree = _tree(size)
    assert tree.size == size
    assert [tree.root(n) for n in range(size + 1)] == [_root_by_definition(_LEAVES[:n]) for n in range(size + 1)]


@pytest.mark.spec("RFC 9162 2.1.1")
def test_an_empty_leaf_has_the_hash_of_its_prefix_alone():
    assert _tree(1).root().hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@pytest.mark.spec("RFC 9162 2.1.3.1")
@pytest.mark.parametrize("size", range(1, len(_LEAVES) + 1))
def test_every_leaf_is_proved_in_a_tree_of_every_size(size):
    tree = _tree(len(_LEAVES))
    for index in range(size):
        path = tree.inclusion_path(index, size)
        leaf = merkle.leaf_hash(_LEAVES[index])
        assert merkle.root_of_inclusion(leaf, index=index, size=size, path=path) == tree.root(size)


@pytest.mark.spec("RFC 9162 2.1.4.1")
@pytest.mark.parametrize("second", range(1, len(_LEAVES) + 1))
def test_every_earlier_tree_is_proved_to_begin_every_later_one(second):
    tree = _tree(len(_LEAVES))
    for first in range(1, second + 1):
        merkle.verify_consistency(
            first_size=first,
            first_root=tree.root(first),
            second_size=second,
            second_root=tree.root(second),
            path=tree.consistency_path(first, second),
        )


def test_nothing_is_proved_of_leaves_that_are_not_there():
    tree = _tree(3)
    for index, size in ((3, 3), (-1, 3), (0, 0), (0, 4), (0, -1)):
        with pytest.raises(ValueError, match=r"not (among|[-0-9])|leaves"):
            tree.inclusion_path(index, size)
    for first, size in ((0, 3), (3, 2), (1, 4)):
        with pytest.raises(ValueError, match="leaves"):
            tree.consistency_path(first, size)
