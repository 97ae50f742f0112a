import pytest

from tests.unit.analysis.detectors.traffic import (
    GATEWAY,
    GATEWAY_IP,
    LAMP_IP,
    OTHER,
    OTHER_IP,
    STRANGER,
    arp,
    syn,
    told,
)
from thingstead.analysis.detectors.detector import Severity
from thingstead.analysis.detectors.scene import Scene

NAME, FREE = "arp_spoof", "192.168.1.99"


@pytest.mark.requirement("R-34")
@pytest.mark.spec("RFC 826")
@pytest.mark.parametrize("address", [GATEWAY_IP, LAMP_IP])
@pytest.mark.parametrize("operation", [1, 2])
def test_who_claims_an_address_of_another_is_found_at_once(address, operation):
    (found,) = told(NAME, arp(1.0), arp(5.0, operation=operation, mac=STRANGER, sender=address))
    assert (found.device, found.thing, found.subject) == (STRANGER, None, address)
    assert found.evidence == (f"ARP: {address} is at 02:00:00:00:00:04, sent by 02:00:00:00:00:04",)


def test_two_that_claim_one_address_in_turn_are_found_without_knowing_whose_it_is():
    turns = [arp(number, mac=(OTHER, STRANGER)[number % 2], sender=FREE) for number in range(6)]
    (found,) = told(NAME, *turns, scene=Scene())
    assert (found.subject, found.first, found.last) == (FREE, 0, 5)
    assert found.evidence == tuple(f"ARP: {FREE} is at 02:00:00:00:00:0{number}" for number in (2, 4))


@pytest.mark.requirement("R-34")
def test_who_has_an_address_is_not_cut_off_for_anothers_claims_to_it():
    """The first claims are the attacker's, and the last is that of the thing whose address it is."""
    claims = [arp(number, mac=(STRANGER, OTHER)[number > 2], sender=FREE) for number in range(6)]
    (found,) = told(NAME, *claims)
    assert (found.device, found.severity) == (OTHER, Severity.INCIDENT)


@pytest.mark.parametrize(
    "packets",
    [
        [arp(0, operation=2, sender=LAMP_IP)],
        [arp(0, mac=STRANGER, sender=LAMP_IP)],
        [syn(0), arp(4000, mac=STRANGER, sender=LAMP_IP)],
        [arp(0, mac=GATEWAY, sender=OTHER_IP, operation=2)],
        [arp(0, mac=STRANGER, sender="0.0.0.0", target=LAMP_IP)],
        [arp(0, mac=STRANGER, sender=FREE)] * 20,
        [arp(0, mac=OTHER, sender=FREE), arp(1, mac=STRANGER, sender=FREE), arp(2, mac=STRANGER, sender=FREE)],
        [arp(number * 30, mac=(OTHER, STRANGER)[number % 2], sender=FREE) for number in range(20)],
        [syn(0)],
    ],
    ids=[
        "its own",
        "never used",
        "not used any more",
        "the gateway for another",
        "a probe",
        "one claimant",
        "another machine",
        "slow",
        "no ARP",
    ],
)
def test_what_claims_nothing_of_anothers_is_not_told(packets):
    assert not told(NAME, *packets)
