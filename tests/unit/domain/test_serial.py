import pytest

from thingstead.domain.serial import SerialRange, parse_serials
from thingstead.errors import ConfigError


@pytest.mark.requirement("R-23")
@pytest.mark.parametrize(
    "serial", ["A-0000", "A-0101", "A-7", "A-00007", "B-0007", "A-", "", "A-00 7", "A-٠٠٠٧", "a-0007", "xA-0007"]
)
def test_what_is_not_between_the_ends_digit_for_digit_is_not_in_a_range(serial):
    assert serial not in parse_serials(["A-0001..A-0100"])


@pytest.mark.requirement("R-23")
@pytest.mark.parametrize("serial", ["A-0001", "A-0042", "A-0100"])
def test_both_ends_are_in_a_range(serial):
    assert serial in parse_serials(["A-0001..A-0100"])


@pytest.mark.parametrize(
    "text", ["..", "A..B", "1..", "..1", "A-1..B-9", "A-1..A-10", "A-9..A-1", "A*1..A*9", "1..2..3", "A-1..A-9\n"]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ConfigError):
        parse_serials([text])


@pytest.mark.requirement("R-23")
@pytest.mark.parametrize("text", ["*", "A?", "A[12]"])
def test_a_bill_of_installation_has_no_patterns(text):
    with pytest.raises(ConfigError, match="names each serial"):
        parse_serials([text], each=True)


def test_patterns_ranges_and_single_ones_stand_together():
    serials = parse_serials(["B*", "A-1..A-3", "C-7"])
    assert all(serial in serials for serial in ("B", "B-9", "A-2", "C-7"))
    assert not any(serial in serials for serial in ("b", "A-4", "C-70", ""))


def test_many_are_told_in_short():
    assert str(parse_serials(["*"])) == "*"
    assert str(parse_serials(["A*", "A-01..A-10", "z", "y", "x", "w"])) == "A*, A-01..A-10, w, x and 2 more"


def test_ranges_hold_and_meet_only_their_like():
    wide = SerialRange("A-", 4, 1, 100)
    assert (str(wide), wide.pattern) == ("A-0001..A-0100", "A-????")
    assert wide.holds(SerialRange("A-", 4, 2, 100))
    assert not wide.holds(SerialRange("A-", 4, 2, 101))
    assert wide.meets(SerialRange("A-", 4, 100, 101))
    assert not wide.meets(SerialRange("A-", 4, 101, 102))
    assert not wide.meets(SerialRange("A-", 3, 1, 100))
    assert not wide.holds(SerialRange("B-", 4, 2, 3))


@pytest.mark.parametrize("text", ["A{}*", "A{}-1..A{}-9"])
def test_more_than_can_be_compared_with_at_each_join_is_no_policy(text):
    parse_serials([text.format(number, number) for number in range(1000)])
    with pytest.raises(ConfigError, match="at most 1000"):
        parse_serials([text.format(number, number) for number in range(1001)])
