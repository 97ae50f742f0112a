import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.coswid.named_digest import is_same, read_digest, read_digests

A, B = bytes(32), bytes([1]) * 32


@pytest.mark.spec("RFC 9393 2.9.1")
def test_a_digest_goes_by_its_number():
    assert read_digest(["sha-256", A]) == read_digest([1, A]) == (1, A)
    assert read_digest(["of-tomorrow", b"x"]) == ("of-tomorrow", b"x")
    assert read_digests([[1, A], ["sha-512", bytes(64)]]) == {1: A, 8: bytes(64)}


@pytest.mark.parametrize(
    "value",
    [[], [[1, A], ["sha-256", B]], [[1, A[:31]]], [[1, "text"]], [[1]], [[1.0, A]], [["sha-256-32", A]], {1: A}],
)
def test_digests_outside_their_grammar_are_refused(value):
    with pytest.raises(DecodeError):
        read_digests(value)


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        ({1: A}, {1: A}, True),
        ({1: A, 8: bytes(64)}, {1: A}, True),
        ({1: A}, {1: B}, False),
        ({1: A}, {8: bytes(64)}, False),
        ({1: A, 6: b"1234"}, {1: B, 6: b"1234"}, False),
        ({}, {}, False),
    ],
)
def test_all_algorithms_in_common_have_to_agree(wanted, found, same):
    assert is_same(wanted, found) is same
