import pytest

from tests.unit.enforcement.altered_stage import BREAKS
from tests.unit.enforcement.observed import observed

pytestmark = [pytest.mark.namespace, pytest.mark.slow]

AS_APPLIED = {"allowed": True, "not allowed": False, "stranger": False, "barred": False}


@pytest.fixture(scope="module")
def seen(request):
    return observed(request, "altered_stage")


@pytest.mark.parametrize("name", BREAKS)
def test_whatever_somebody_else_does_to_the_tables_is_noticed_once_and_mended(seen, name):
    assert seen[name]["then"] == AS_APPLIED
    assert (seen[name]["by"], seen[name]["again"]) == (seen["program"], "")


def test_the_breaks_are_such_that_they_open_something(seen):
    for name in ("all tables flushed", "the routed table deleted", "a rule inserted", "an endpoint allowed"):
        assert seen[name]["before"] != AS_APPLIED


def test_it_is_put_back_before_anybody_asks(seen):
    assert seen["nobody asked"] == AS_APPLIED
    assert seen["told of later"] == seen["program"]


def test_what_could_not_be_put_back_is_when_somebody_asks(seen):
    assert seen["not put back"] is True
    assert seen["put back later"] == AS_APPLIED


def test_a_flow_that_was_opened_while_nothing_was_in_force_ends(seen):
    assert seen["flow while nothing was in force"] is True
    assert seen["flow after"] is False


def test_our_own_changes_and_other_tables_are_nobody_s_attack_and_cost_no_counter(seen):
    assert seen["what is not about our tables"] == ["", "", ""]
    assert seen["counted on"] is True


def test_whoever_comes_first_to_the_kernel_finds_what_happened(seen):
    assert seen["a change after all tables were flushed"] == AS_APPLIED
    assert seen["told after a change"] == [seen["program"], ""]
    assert seen["asked after all tables were flushed"] is True


@pytest.mark.spec("RFC 9726 5")
def test_an_address_whose_time_is_over_does_not_come_back_with_the_others(seen):
    assert [seen[what] for what in ("while the name lasts", "after the name", "a name that was over")] == [
        True,
        False,
        False,
    ]
    assert seen["a name that is not"] is True


def test_where_the_kernel_told_more_than_fits_ours_are_taken_for_changed_if_anybody_changed_any(seen):
    assert seen["notices lost"] == [1, "", "", "somebody", ""]


def test_a_kernel_that_tells_nothing_more_is_no_kernel_at_rest(seen):
    assert seen["closed"] == "kernel"
