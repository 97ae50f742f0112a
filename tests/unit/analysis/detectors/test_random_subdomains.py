import pytest

from tests.unit.analysis.detectors.traffic import LAMP, lookup, told

NAME = "random_subdomains"


def flood(count, *, under="example.com", every=0.5):
    return [lookup(number * every, f"q{number:x}.{under}") for number in range(count)]


@pytest.mark.requirement("R-38")
def test_many_names_under_one_are_found():
    (found,) = told(NAME, *flood(40))
    assert (found.device, found.subject, found.evidence[0]) == (LAMP, "example.com", "q0.example.com")


@pytest.mark.parametrize(
    "packets",
    [
        flood(39),
        flood(100, every=1.6),
        [lookup(number, "time.example.com") for number in range(100)],
        [lookup(number / 10, f"www.shop{number}.com") for number in range(100)],
        [lookup(number / 10, f"{number}.2.0.192.in-addr.arpa") for number in range(100)],
    ],
    ids=["few", "slow", "one name", "many owners", "names of addresses"],
)
def test_what_is_no_flood_of_questions_is_not_told(packets):
    assert not told(NAME, *packets)
