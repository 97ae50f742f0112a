import hashlib

import pytest

from thingstead.domain.ledger.tree import MerkleTree
from thingstead.errors import StorageError
from thingstead.protocols.receipts import merkle

_LEAVES = [bytes([n]) * n for n in range(20)]


def _tree(size: int, *, height: int = 2) -> MerkleTree:
    tree = MerkleTree(lambda start, stop: _LEAVES[start:stop], height=height)
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
@pytest.mark.parametrize("height", [0, 1, 3, 8])
@pytest.mark.parametrize("size", range(len(_LEAVES) + 1))
def test_the_root_is_that_of_the_definition_for_every_size_so_far(size, height):
    tree = _tree(size, height=height)
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


@pytest.mark.parametrize(
    "kept", [[*_LEAVES[:3], b"forged", *_LEAVES[4:]], _LEAVES[:3], []], ids=["forged", "cut", "gone"]
)
def test_no_proof_is_made_of_leaves_that_were_changed_after_they_came(kept):
    tree = MerkleTree(lambda start, stop: kept[start:stop], height=2)
    for leaf in _LEAVES:
        tree.append(leaf)
    assert tree.root() == _tree(len(_LEAVES)).root()
    with pytest.raises(StorageError):
        tree.inclusion_path(0)
    with pytest.raises(StorageError):
        tree.root(3)


def test_a_path_reads_the_leaves_of_one_subtree_and_reads_them_once():
    asked = []

    def leaves(start, stop):
        asked.append((start, stop))
        return _LEAVES[start:stop]

    tree = MerkleTree(leaves, height=2)
    for leaf in _LEAVES:
        tree.append(leaf)
    for index in (4, 5, 6, 7):
        tree.inclusion_path(index)
    assert asked == [(4, 8)]
