import pytest

from thingstead.errors import AuthenticationError, DecodeError, ThingsteadError
from thingstead.protocols.receipts import merkle

# The tree of the two leaves "a" and "b", and of three: "a", "b", "c".
_A, _B, _C = (merkle.leaf_hash(letter) for letter in (b"a", b"b", b"c"))
_AB = merkle.node_hash(_A, _B)
_ABC = merkle.node_hash(_AB, _C)


@pytest.mark.spec("RFC 9162 2.1.3.2")
@pytest.mark.parametrize(
    ("leaf", "index", "size", "path"),
    [(_A, 0, 3, (_B, _C)), (_B, 1, 3, (_A, _C)), (_C, 2, 3, (_AB,))],
)
def test_an_inclusion_path_leads_to_the_root(leaf, index, size, path):
    assert merkle.root_of_inclusion(leaf, index=index, size=size, path=path) == _ABC


@pytest.mark.spec("RFC 9162 2.1.3.2")
@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (3, 3, (_AB,)),
        (-1, 3, (_AB,)),
        (0, 0, ()),
        (2, 3, ()),
        (2, 3, (_AB, _AB)),
        (0, 3, (_B,)),
        (0, 1, (_B,)),
        (2, 3, (_AB[:31],)),
        (2, 3, (_AB + b"\x00",)),
        (0, 1 << 300, (_B, _C)),
    ],
)
def test_what_cannot_be_an_inclusion_path_is_refused(index, size, path):
    with pytest.raises(DecodeError):
        merkle.root_of_inclusion(_C, index=index, size=size, path=path)


@pytest.mark.parametrize(("leaf", "index", "path"), [(_A, 1, (_B, _C)), (_B, 0, (_A, _C)), (_B, 0, (_B, _C))])
def test_a_path_for_another_leaf_or_place_leads_to_another_root(leaf, index, path):
    assert merkle.root_of_inclusion(leaf, index=index, size=3, path=path) != _ABC


@pytest.mark.spec("RFC 9162 2.1.4.2")
@pytest.mark.parametrize(
    ("first_size", "first_root", "second_size", "second_root", "path"),
    [
        (0, _A, 3, _ABC, (_B, _C)),
        (4, _A, 3, _ABC, (_B, _C)),
        (2, _AB, 3, _ABC, ()),
        (2, _AB, 3, _ABC, (_C, _C)),
        (2, _AB, 3, _ABC, (_C[:31],)),
        (2, _AB, 3, _ABC, (_A,)),
        (2, _A, 3, _ABC, (_C,)),
        (2, _AB, 3, _AB, (_C,)),
        (3, _AB, 3, _ABC, ()),
        (3, _ABC, 3, _ABC, (_C,)),
        (3, _ABC, 7, _ABC, ()),
    ],
)
def test_trees_of_two_histories_are_told_apart(first_size, first_root, second_size, second_root, path):
    with pytest.raises(ThingsteadError) as caught:
        merkle.verify_consistency(
            first_size=first_size,
            first_root=first_root,
            second_size=second_size,
            second_root=second_root,
            path=path,
        )
    assert isinstance(caught.value, AuthenticationError | DecodeError)


def test_a_tree_is_consistent_with_itself_and_with_its_beginning():
    for first_size, first_root, path in ((3, _ABC, ()), (2, _AB, (_C,)), (1, _A, (_B, _C))):
        merkle.verify_consistency(
            first_size=first_size, first_root=first_root, second_size=3, second_root=_ABC, path=path
        )
