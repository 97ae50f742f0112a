import pytest

from thingstead import errors
from thingstead.errors import CONSEQUENCES, ReplayError, SecurityError, ThingsteadError, consequence


def tree(cls=ThingsteadError):
    yield cls
    for child in cls.__subclasses__():
        yield from tree(child)


def test_the_table_has_a_row_for_every_class_of_the_tree_and_no_other():
    ours = {cls for cls in tree() if cls.__module__ == errors.__name__}
    assert set(CONSEQUENCES) == ours
    assert {cls.__name__ for cls in ours} <= set(errors.__all__)


def test_every_class_counts_under_a_reason_of_its_own():
    reasons = [cls.reason for cls in CONSEQUENCES]
    assert len(reasons) == len(set(reasons))
    assert all(reason.replace("-", "").isalpha() and reason.islower() for reason in reasons)


@pytest.mark.parametrize("row", CONSEQUENCES.values(), ids=[cls.__name__ for cls in CONSEQUENCES])
def test_advice_is_one_sentence(row):
    assert row.advice.endswith(".")
    assert "\n" not in row.advice


@pytest.mark.parametrize("cls", CONSEQUENCES, ids=lambda cls: cls.__name__)
def test_an_error_finds_its_own_row(cls):
    assert consequence(cls("x")) is CONSEQUENCES[cls]


def test_an_error_says_what_and_by_which_clause():
    error = ReplayError("partial IV 5 seen before", spec="RFC 8613 §7.4")
    assert str(error) == "partial IV 5 seen before (RFC 8613 §7.4)"
    assert (error.message, error.spec, error.reason) == ("partial IV 5 seen before", "RFC 8613 §7.4", "replay")
    assert str(ReplayError("seen before")) == "seen before"


def test_a_reason_of_one_refusal_does_not_stick_to_its_class():
    assert SecurityError("x", reason="special").reason == "special"
    assert SecurityError("x").reason == "security"


def test_what_is_not_in_the_tree_has_no_consequence():
    with pytest.raises(TypeError, match="ValueError is not in the error tree"):
        consequence(ValueError("x"))  # type: ignore[arg-type]  # the point of the test
