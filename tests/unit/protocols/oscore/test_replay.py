import pytest

from thingstead.errors import ReplayError
from thingstead.protocols.oscore.replay import ReplayWindow


def accepted(window, *numbers):
    for number in numbers:
        window.accept(number)
    return window


def refused(window, candidates):
    result = []
    for number in candidates:
        try:
            window.check(number)
        except ReplayError:
            result.append(number)
    return result


@pytest.mark.spec("RFC 8613 7.4")
def test_the_first_number_may_be_any():
    for number in (0, 31, 32, 2**40 - 1):
        assert refused(accepted(ReplayWindow(), number), [number]) == [number]


@pytest.mark.spec("RFC 8613 7.4")
@pytest.mark.requirement("R-15")
def test_numbers_within_the_window_are_taken_once_each_in_any_order():
    window = accepted(ReplayWindow(8), 9, 4, 7)
    assert refused(window, range(12)) == [0, 1, 4, 7, 9]


@pytest.mark.spec("RFC 8613 7.4")
def test_a_step_to_the_right_drops_the_left_edge():
    window = accepted(ReplayWindow(4), 0, 1, 2, 3, 5)
    assert refused(window, range(8)) == [0, 1, 2, 3, 5]


@pytest.mark.spec("RFC 8613 7.4")
def test_a_jump_over_the_whole_window_forgets_it():
    window = accepted(ReplayWindow(4), 0, 1, 2**40 - 1)
    assert refused(window, [1, 2**40 - 5, 2**40 - 4, 2**40 - 2, 2**40 - 1]) == [1, 2**40 - 5, 2**40 - 1]


def test_a_check_changes_nothing():
    window = ReplayWindow()
    window.check(7)
    window.check(7)
    window.accept(7)


def test_a_number_is_not_accepted_twice_even_unchecked():
    with pytest.raises(ReplayError):
        accepted(ReplayWindow(), 5, 3, 3)


@pytest.mark.spec("RFC 8613 B.1.2")
@pytest.mark.requirement("R-15")
def test_an_invalid_window_refuses_all_until_it_recovers_and_then_all_that_is_older():
    window = ReplayWindow(valid=False)
    assert not window.is_valid
    for operation in (window.check, window.accept):
        with pytest.raises(ReplayError) as lost:
            operation(3)
        assert lost.value.reason == "freshness"
    window.recover(40)
    assert refused(window, [0, 9, 39, 40, 41]) == [0, 9, 39, 40]


def test_a_valid_window_recovers_by_its_own_knowledge():
    window = accepted(ReplayWindow(), 5)
    window.recover(4)
    with pytest.raises(ReplayError):
        window.recover(4)
    window.check(3)


def test_a_window_of_nothing_is_not_made():
    with pytest.raises(ValueError, match="at least one"):
        ReplayWindow(0)
