"""Checks are read back as they were written, in bounds, each once."""

import pytest

from thingstead.domain.check import Check, Outcome, decode_basis, decode_checks, encode_checks
from thingstead.errors import DecodeError

pytestmark = pytest.mark.requirement("R-84")
CHECKS = (Check("signatures", Outcome.PASSED), Check("replay", Outcome.FAILED, ("a recorded request is served",)))


def test_checks_are_read_as_they_were_written():
    assert decode_checks(encode_checks(CHECKS)) == CHECKS


def test_of_what_was_found_there_is_as_much_as_a_result_has_room_for():
    check = Check.of("in-clear", Outcome.FAILED, ["x" * 1000] * 100)
    assert (len(check.said), {len(one) for one in check.said}) == (32, {300})
    assert decode_checks(encode_checks([check])) == (check,)


@pytest.mark.parametrize(
    "damaged",
    [
        [["signatures", "passed"]],
        [["signatures", "fine", []]],
        [["signatures", "passed", [1]]],
        [["signatures", "passed", ["x" * 301]]],
        [["signatures", "passed", ["x"] * 33]],
        [["x" * 201, "passed", []]],
        [[1, "passed", []]],
        encode_checks(CHECKS) * 2,
        [[str(number), "passed", []] for number in range(33)],
    ],
    ids=str,
)
def test_anything_else_is_refused(damaged):
    with pytest.raises(DecodeError):
        decode_checks(damaged)


@pytest.mark.parametrize("damaged", [{1: "a"}, {"a": 1}, {"a": "x" * 201}, {str(n): "" for n in range(17)}], ids=str)
def test_a_basis_is_text_and_short(damaged):
    with pytest.raises(DecodeError):
        decode_basis(damaged)
