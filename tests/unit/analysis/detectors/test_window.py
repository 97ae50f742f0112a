"""Invariant: memory is bounded, and what is too old does not count."""

from thingstead.analysis.detectors.window import PerKey, Window


def test_what_is_too_old_does_not_count():
    window = Window[object](10.0)
    assert [window.add(at, at) for at in (0, 5, 9.9, 10, 30)] == [1, 2, 3, 3, 1]
    assert (window.distinct, window.span, window.values()) == (1, (30, 30), (30,))


def test_the_oldest_goes_where_there_is_no_room():
    window = Window[object](10.0, most=2)
    for value in "abc":
        window.add(0, value)
    assert window.values() == ("b", "c")


def test_one_value_twice_is_one():
    window = Window[object](10.0)
    assert (window.add(0, "a"), window.add(1, "a"), window.distinct) == (1, 2, 1)
    window.add(10.5, "b")
    assert window.values() == ("a", "b")
    window.clear()
    assert (window.distinct, window.values()) == (0, ())


def test_a_clock_that_goes_back_loses_nothing_and_keeps_within_bounds():
    window = Window[object](10.0, most=3)
    for at in (100, 5, 4, 3, 2):
        window.add(at, at)
    assert window.distinct == 3


def test_the_longest_unused_key_goes():
    kept = PerKey[str, list[int]](list, most=2)
    kept["a"].append(1)
    kept["b"].append(2)
    kept["a"].append(3)
    kept["c"].append(4)
    assert dict(kept.items()) == {"a": [1, 3], "c": [4]}
    assert "b" not in kept
    assert len(kept) == 2


def test_a_key_is_set_and_dropped():
    kept = PerKey[str, int](int)
    kept["a"] = 7
    assert kept["a"] == 7
    kept.drop("a")
    kept.drop("a")
    assert kept["a"] == 0
