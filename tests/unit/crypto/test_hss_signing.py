import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.hss_signing import HssTree
from thingstead.crypto.key import KeyType, verify
from thingstead.errors import AuthenticationError
from thingstead.secret import Secret

SEED, IDENTIFIER = Secret(bytes(range(32))), bytes(16)


@pytest.fixture(scope="module")
def tree():
    return HssTree(SEED, IDENTIFIER, height=5)


@pytest.mark.spec("RFC 8554 6.2")
def test_every_leaf_makes_a_signature_that_verifies(tree):
    assert (tree.leaves, tree.public.type) == (32, KeyType.HSS_LMS)
    signatures = [tree.sign(leaf, b"release") for leaf in (0, 31, 7)]
    assert len(set(signatures)) == 3
    for signature in signatures:
        verify(tree.public, signature=signature, data=b"release", signature_id=AlgorithmId.HSS_LMS)
        with pytest.raises(AuthenticationError):
            verify(tree.public, signature=signature, data=b"other", signature_id=AlgorithmId.HSS_LMS)


def test_a_seed_grows_the_same_tree_again_and_another_one_another(tree):
    assert HssTree(SEED, IDENTIFIER, height=5).public == tree.public
    assert HssTree(Secret(bytes(32)), IDENTIFIER, height=5).public != tree.public
    assert HssTree(SEED, bytes(15) + b"\1", height=5).public != tree.public


@pytest.mark.parametrize("leaf", [-1, 32, 1 << 40])
def test_there_is_no_leaf_beside_the_tree(tree, leaf):
    with pytest.raises(ValueError, match="a leaf below 32"):
        tree.sign(leaf, b"release")


@pytest.mark.parametrize(
    ("seed", "identifier", "height"),
    [(bytes(31), IDENTIFIER, 5), (bytes(33), IDENTIFIER, 5), (bytes(32), bytes(15), 5), (bytes(32), IDENTIFIER, 6)],
)
def test_no_tree_grows_from_other_sizes(seed, identifier, height):
    with pytest.raises(ValueError, match="expected a seed of 32 bytes"):
        HssTree(Secret(seed), identifier, height=height)
