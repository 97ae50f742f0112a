import pytest

from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim.matching import is_environment, is_measurement, mismatches
from thingstead.protocols.corim.statement import Environment, Measurement

A, B = bytes(32), bytes([1]) * 32
PLACE = Environment(Tag(37, bytes(16)), "Acme", "lamp", instance=Tag(550, bytes(7)))


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        (PLACE, True),
        (Environment(vendor="Acme"), True),
        (Environment(Tag(37, bytes(16))), True),
        (Environment(vendor="Other"), False),
        (Environment(Tag(560, bytes(16))), False),
        (Environment(vendor="Acme", layer=0), False),
        (Environment(vendor="Acme", group=Tag(560, b"g")), False),
    ],
)
def test_an_environment_has_to_have_all_that_the_condition_gives(condition, matches):
    assert is_environment(condition, PLACE) is matches


@pytest.mark.parametrize(
    ("codepoint", "wanted", "found", "satisfied"),
    [
        (0, {0: "1"}, {0: "1"}, True),
        (0, {0: "1"}, {0: "1", 1: 16384}, False),
        (1, 3, Tag(552, 3), True),
        (1, Tag(552, 3), 4, False),
        (1, Tag(553, 3), 4, True),
        (1, Tag(553, 5), 4, False),
        (1, 3, Tag(553, 3), False),
        (1, Tag(553, 3), Tag(553, 3), True),
        (2, {1: A}, {1: A, 8: bytes(64)}, True),
        (2, {1: A}, {1: B}, False),
        (2, {1: A}, {8: bytes(64)}, False),
        (3, {0: True}, {0: True, 1: False}, True),
        (3, {0: True}, {0: False}, False),
        (4, Tag(560, b"ab"), Tag(560, b"ab"), True),
        (4, Tag(560, b"ab"), Tag(560, b"ac"), False),
        (4, Tag(560, b"ab"), Tag(560, b"abc"), False),
        (4, Tag(563, (b"ab", b"\xff\x00")), Tag(560, b"ac"), True),
        (4, Tag(563, (b"ab", b"\xff")), Tag(560, b"ab"), False),
        (4, Tag(560, b"ab"), Tag(563, (b"ab", b"\xff\xff")), False),
        (11, "a", "a", True),
        (11, "a", "b", False),
        (13, (Tag(554, "k"),), (Tag(554, "k"), Tag(554, "l")), True),
        (13, (Tag(554, "k"),), (Tag(555, "k"),), False),
        (13, (Tag(554, "k"), Tag(554, "l")), (Tag(554, "k"),), False),
        (14, {0: {1: A}}, {0: {1: A}, 1: {1: B}}, True),
        (14, {0: {1: A}}, {1: {1: A}}, False),
        (15, 5, 5, True),
        (15, 5, Tag(564, (5, 6)), False),
        (15, Tag(564, (None, 9)), 5, True),
        (15, Tag(564, (6, None)), 5, False),
        (15, Tag(564, (0, 9)), Tag(564, (None, 5)), False),
        (15, Tag(564, (0, 9)), Tag(564, (1, 5)), True),
        (-5, "of a profile", "of a profile", False),
    ],
)
def test_each_codepoint_compares_as_the_draft_says(codepoint, wanted, found, satisfied):
    condition, entry = Measurement("e", {codepoint: wanted}), Measurement("e", {codepoint: found})
    assert mismatches(condition, entry) == (() if satisfied else (codepoint,))


def test_a_mask_beside_its_value_counts_as_one_with_it():
    condition = Measurement(None, {4: Tag(560, b"ab"), 5: b"\xff\x00"})
    assert is_measurement(condition, Measurement(None, {4: Tag(560, b"ac")}))
    assert not is_measurement(condition, Measurement(None, {4: Tag(560, b"bb")}))


def test_a_measurement_of_another_element_or_without_a_value_does_not_match():
    condition = Measurement("firmware", {2: {1: A}})
    assert is_measurement(condition, Measurement("firmware", {2: {1: A}, 11: "more"}))
    assert not is_measurement(condition, Measurement("manifest", {2: {1: A}}))
    assert not is_measurement(condition, Measurement(None, {2: {1: A}}))
    assert not is_measurement(condition, Measurement("firmware", {11: "more"}))
