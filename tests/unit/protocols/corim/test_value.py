import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim.value import ELEMENT, INSTANCE, KEYS, read_values

GOOD = {
    0: {0: "1.0.0", 1: 16384},
    1: Tag(552, 3),
    2: [[1, bytes(32)]],
    3: {0: True, 10: False},
    4: Tag(560, b"1234"),
    5: b"\xff\x00\xff\x00",
    6: bytes(6),
    7: bytes(16),
    8: "serial",
    9: bytes(7),
    10: bytes(16),
    11: "name",
    13: [Tag(554, "key"), Tag(558, {1: 2}), Tag(557, [1, bytes(32)])],
    14: {0: [[1, bytes(32)]], "a": [[7, bytes(48)]]},
    15: Tag(564, [None, 5]),
    -7: "of a profile",
}


def test_every_codepoint_is_read():
    found = read_values(GOOD)
    assert found[2] == {1: bytes(32)}
    assert found[14] == {0: {1: bytes(32)}, "a": {7: bytes(48)}}
    assert found[-7] == "of a profile"
    assert found.keys() == GOOD.keys()


@pytest.mark.parametrize(
    ("codepoint", "value"),
    [
        (0, {}),
        (0, {1: 16384}),
        (0, "1.0.0"),
        (1, -1),
        (1, Tag(554, 1)),
        (2, []),
        (2, [[1, bytes(31)]]),
        (3, {}),
        (3, {0: 1}),
        (4, b"1234"),
        (4, Tag(563, [b"1"])),
        (6, bytes(7)),
        (7, bytes(5)),
        (9, bytes(6)),
        (10, bytes(15)),
        (13, []),
        (13, ["key"]),
        (13, [Tag(554, b"key")]),
        (13, [Tag(558, {3: 2})]),
        (13, [Tag(557, [1, b"short"])]),
        (14, {}),
        (14, {-1: [[1, bytes(32)]]}),
        (14, {0: []}),
        (15, Tag(564, [1])),
        (15, "5"),
    ],
)
def test_a_value_of_another_kind_than_its_codepoint_has_is_refused(codepoint, value):
    with pytest.raises(DecodeError):
        read_values({**GOOD, codepoint: value})


def test_a_mask_needs_its_value_and_a_map_something_in_it():
    with pytest.raises(DecodeError, match="mask"):
        read_values({5: b"\xff"})
    with pytest.raises(DecodeError):
        read_values({})


@pytest.mark.parametrize(
    ("check", "value"),
    [(KEYS, []), (KEYS, ["@@@@"]), (INSTANCE, "a"), (INSTANCE, Tag(550, bytes(6))), (ELEMENT, b"a"), (ELEMENT, -1)],
)
def test_names_and_keys_of_other_forms_are_refused(check, value):
    with pytest.raises(DecodeError):
        check(value)
