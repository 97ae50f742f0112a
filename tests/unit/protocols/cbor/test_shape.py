import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import shape
from thingstead.protocols.cbor.codec import Tag

TABLE = {0: shape.text, 1: shape.one_or_more(shape.uint)}


def test_a_map_comes_back_with_lists_as_tuples():
    assert shape.members({0: "a", 1: [1, 2]}, TABLE, what="m", needs=(0,)) == {0: "a", 1: (1, 2)}


def test_what_others_may_add_is_carried_as_it_is():
    assert shape.members({0: "a", -5: [1], "x": 2}, TABLE, what="m", extensible=True) == {0: "a", -5: [1], "x": 2}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "something in it"),
        ({}, "something in it"),
        ({0: 1}, "m 0: expected text"),
        ({2: "a"}, "no member 2"),
        ({True: "a"}, "no member True"),
        ({1: [1]}, "the member 0"),
        ({0: "a", 1: []}, "1 or more"),
        ({0: "a", 1: [-1]}, "unsigned"),
        ({0: "a", 1: [True]}, "unsigned"),
        ({0: "a" * (1 << 15)}, "text"),
    ],
)
def test_a_map_outside_its_table_is_refused(value, words):
    with pytest.raises(DecodeError, match=words):
        shape.members(value, TABLE, what="m", needs=(0,))


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (shape.integer, "1"),
        (shape.integer, True),
        (shape.boolean, 1),
        (shape.octets(2, 3), b"1234"),
        (shape.octets(), "text"),
        (shape.record(shape.text, shape.uint), ["a"]),
        (shape.record(shape.text, shape.uint, optional=1), ["a", 1, 2]),
        (shape.record(shape.text), {"a": 1}),
        (shape.choice({5: shape.uint}, extensible=False), Tag(6, 1)),
        (shape.choice({5: shape.uint}, shape.text), Tag(5, "a")),
        (shape.choice({5: shape.uint}, shape.text), 1),
        (shape.one_or_more(shape.uint), list(range(5000))),
    ],
)
def test_a_value_of_another_kind_is_refused(check, value):
    with pytest.raises(DecodeError):
        check(value)


def test_a_choice_keeps_its_tag_and_carries_those_of_others():
    check = shape.choice({5: shape.uint}, shape.text)
    assert (check(Tag(5, 1)), check("a"), check(Tag(6, "x"))) == (Tag(5, 1), "a", Tag(6, "x"))
    assert shape.record(shape.text, shape.uint, optional=1)(["a"]) == ("a",)
    assert shape.boolean(False) is False
    assert shape.octets(2)(b"12") == b"12"
