import pytest

from tests.unit.analysis.detectors.traffic import LAMP, lookup, told

NAME = "dns_tunnel"


def tunnel(count, *, size=40, every=2.0):
    return [lookup(number * every, f"{number:0{size}x}.t.example.com") for number in range(count)]


@pytest.mark.requirement("R-38")
def test_what_hides_in_long_names_is_found_and_not_repeated():
    (found,) = told(NAME, *tunnel(12))
    assert (found.device, found.subject) == (LAMP, "example.com")
    assert found.evidence == ("43 characters before example.com",) * 8


@pytest.mark.parametrize(
    "packets",
    [
        tunnel(11),
        tunnel(100, size=26),
        tunnel(100, every=28.0),
        [lookup(number, f"{7:040x}.example.com") for number in range(100)],
        [lookup(number, f"{number:040x}.shop{number}.com") for number in range(100)],
    ],
    ids=["few", "short", "slow", "one name", "many owners"],
)
def test_long_names_alone_are_no_tunnel(packets):
    assert not told(NAME, *packets)
