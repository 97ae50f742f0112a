import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, LAMP, LAMP_IP, OTHER, OTHER_IP, arp, syn, told
from thingstead.analysis.detectors.scene import Scene

NAME = "address_spoofing"


def sends(count, *, source, every=1.0, **fields):
    return [syn(number * every, source=source, **fields) for number in range(count)]


@pytest.mark.requirement("R-34")
@pytest.mark.spec("RFC 2827")
@pytest.mark.parametrize("source", ["203.0.113.9", OTHER_IP])
def test_who_sends_under_an_address_of_another_is_found(source):
    (found,) = told(NAME, syn(0, source=OTHER_IP, mac=OTHER), *sends(10, source=source))
    assert (found.device, found.evidence) == (LAMP, (f"02:00:00:00:00:01 sends as {source}",))


@pytest.mark.requirement("R-34")
def test_who_sends_under_prefixes_of_many_is_found():
    assert told(NAME, *[syn(number, source=f"2001:db8:{number}::9", to="2001:db8::1") for number in range(10)])


@pytest.mark.parametrize(
    "packets",
    [
        [syn(0, source=OTHER_IP, mac=OTHER), *[syn(4000 + number, source=OTHER_IP) for number in range(100)]],
        sends(100, source=OTHER_IP),
        [syn(number, source=f"2001:db8:{number % 3}::9", to="2001:db8::1") for number in range(100)],
        sends(9, source="203.0.113.9"),
        sends(100, source="203.0.113.9", every=7.0),
        sends(100, source=LAMP_IP),
        sends(100, source="192.168.1.50"),
        sends(100, source="0.0.0.0"),
        sends(100, source="203.0.113.9", mac=GATEWAY),
        [arp(number, sender="203.0.113.9") for number in range(100)],
    ],
    ids=[
        "not used any more",
        "never used",
        "its own of IPv6",
        "few",
        "slow",
        "its own",
        "nobody's",
        "none yet",
        "the gateway",
        "ARP",
    ],
)
def test_what_is_not_forged_is_not_told(packets):
    assert not told(NAME, *packets)


def test_where_nobody_says_who_routes_nobody_is_accused():
    assert not told(NAME, *sends(100, source="203.0.113.9"), scene=Scene())
