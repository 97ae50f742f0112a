import pytest

from thingstead.analysis.glob import covers, meets


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("*", ""),
        ("*", "*"),
        ("*", "[ab]"),
        ("LX-*", "LX-1"),
        ("LX-*", "LX-?"),
        ("L*", "LX-*"),
        ("?", "a"),
        ("a*c", "a*b*c"),
    ],
)
def test_a_pattern_covers_what_is_written_out_more_closely(wide, narrow):
    assert covers(wide, narrow)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [("?", "*"), ("?*", "*"), ("LX-?", "LX-*"), ("LX-1", "LX-?"), ("", "?"), ("[ab]", "a"), ("??", "?*"), ("a*", "*a")],
)
def test_a_pattern_does_not_cover_what_it_names_in_part_or_not_plainly(wide, narrow):
    assert not covers(wide, narrow)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("*", ""),
        ("a*", "*b"),
        ("a?c", "ab*"),
        ("*x*", "*y*"),
        ("", ""),
        ("[ab]", "[ab]"),
        ("*", "[ab]"),
        ("**", "*"),
        ("a", "a*"),
    ],
)
def test_patterns_meet_where_one_name_fits_both(one, other):
    assert meets(one, other)
    assert meets(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("a*", "b*"), ("?", ""), ("a?", "a"), ("*a", "*b"), ("[ab]", "a"), ("??", "???")]
)
def test_patterns_that_no_name_fits_do_not_meet(one, other):
    assert not meets(one, other)
    assert not meets(other, one)


def test_long_patterns_take_no_stack():
    assert meets("*a" * 127, "a*" * 127)


def test_what_begins_otherwise_does_not_meet():
    assert not meets("A1*", "A2*")
    assert meets("A*", "A2*")
    assert meets("*1", "A*")
    assert meets("?B", "A*")
