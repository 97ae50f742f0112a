import pytest

from tests.unit.analysis.detectors.traffic import LAMP, LAMP_ID, LAMP_IP, OTHER_IP, STRANGER, arp, syn, told, udp

NAME, ELSEWHERE = "clone_traffic", "192.168.1.77"


def turns(count, *, every=2.0, places=(LAMP_IP, ELSEWHERE), **fields):
    return [syn(number * every, source=places[number % len(places)], **fields) for number in range(count)]


@pytest.mark.requirement("R-21")
def test_two_under_one_link_layer_address_are_found_by_their_turns():
    (found,) = told(NAME, *turns(6))
    assert (found.device, found.thing) == (LAMP, LAMP_ID)
    assert found.evidence == tuple(f"sent from {place}" for place in (LAMP_IP, ELSEWHERE) * 3)


@pytest.mark.requirement("R-21")
@pytest.mark.parametrize(
    "packets",
    [
        turns(5),
        turns(60, every=30.0),
        turns(60, places=(LAMP_IP,)),
        turns(60, places=("169.254.3.4", LAMP_IP)),
        turns(60, places=("0.0.0.0", LAMP_IP)),
        turns(60, mac=STRANGER),
        [syn(number, source=f"192.168.1.{number + 20}") for number in range(60)],
        [udp(number, source=("192.168.1.9", OTHER_IP)[number % 2], ports=(68, 67)) for number in range(60)],
        [arp(number) for number in range(60)],
    ],
    ids=["few", "slow", "one place", "link-local", "none yet", "no thing", "moves on", "asks for one", "ARP"],
)
def test_one_machine_is_not_told(packets):
    assert not told(NAME, *packets)
