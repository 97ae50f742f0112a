"""What was kept is read as it was written, or refused."""

import pytest

from thingstead.analysis.kept import numbers, of, rows
from thingstead.errors import DecodeError


def test_rows_come_back_as_they_were_kept():
    assert rows([[b"a", 1], [b"b", 2]], bytes, int) == [[b"a", 1], [b"b", 2]]
    assert rows([]) == []


@pytest.mark.parametrize(
    "kept", [None, {}, [1], [[b"a"]], [[b"a", True]], [[b"a", 1, 1]], [["a", 1]], [[]], [[b"a", 1 << 54]]]
)
def test_rows_of_other_kinds_are_refused(kept):
    with pytest.raises(DecodeError):
        rows(kept, bytes, int)


@pytest.mark.parametrize("kept", [[], [1.0], [True], [None], ["1"], [-(1 << 54)]])
def test_numbers_are_one_or_more_integers(kept):
    with pytest.raises(DecodeError):
        numbers(kept)


def test_of_the_things_those_that_came_last_are_kept():
    assert of({b"a", b"b", b"c"}, [(b"a", 1), (b"x", 2), (b"b", 3), (b"c", 4)], 2) == [(b"b", 3), (b"c", 4)]
