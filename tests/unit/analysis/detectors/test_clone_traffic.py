from dataclasses import replace

import pytest

from tests.unit.analysis.detectors.traffic import (
    LAMP,
    LAMP_ID,
    LAMP_IP,
    OTHER_IP,
    STRANGER,
    all_told,
    arp,
    syn,
    told,
    udp,
)
from thingstead.analysis.detectors.sight import foreign, mac

NAME, ELSEWHERE = "clone_traffic", "192.168.1.77"


def turns(count, *, every=2.0, places=(LAMP_IP, ELSEWHERE), **fields):
    """Sent from each place in turn, by whoever said first that they are its own."""
    claims = [arp(0.0, sender=place, mac=fields.get("mac", LAMP)) for place in places]
    return [*claims, *[syn(number * every, source=places[number % len(places)], **fields) for number in range(count)]]


@pytest.mark.requirement("R-21")
def test_two_under_one_link_layer_address_are_found_by_their_turns():
    (found,) = told(NAME, *turns(6))
    assert (found.device, found.thing) == (LAMP, LAMP_ID)
    assert found.evidence == tuple(f"sent from {place}, {mac(LAMP)}" for place in (LAMP_IP, ELSEWHERE) * 3)


@pytest.mark.requirement("R-34")
def test_of_two_behind_two_ports_the_one_who_is_not_at_home_is_named_and_no_thing_accused():
    copy = foreign(LAMP, "lan2")
    (found,) = told(NAME, *[syn(number * 2.0, mac=(LAMP, copy)[number % 2]) for number in range(6)])
    assert (found.device, found.thing) == (copy, None)
    assert f"{LAMP_IP}, {mac(LAMP)} behind lan2" in found.explanation


@pytest.mark.requirement("R-34")
def test_a_thing_that_moved_to_another_port_is_no_copy():
    moved = [syn(number * 2.0, mac=LAMP if number < 30 else foreign(LAMP, "lan2")) for number in range(60)]
    assert not all_told(*moved)


def test_who_left_another_port_long_ago_is_not_named_for_what_others_do():
    copy = foreign(LAMP, "lan2")
    (found,) = told(NAME, syn(0.0, mac=copy), *[replace(one, at=one.at + 300) for one in turns(6)])
    assert (found.device, found.thing) == (LAMP, LAMP_ID)


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
        turns(60, places=[f"192.168.1.{number + 20}" for number in range(60)], every=1.0),
        [syn(number * 2.0, source=(LAMP_IP, "10.22.22.2")[number % 2]) for number in range(60)],
        [arp(0.0, mac=STRANGER, sender=ELSEWHERE), *[one for one in turns(60) if one.arp is None]],
        [udp(number, source=("192.168.1.9", OTHER_IP)[number % 2], ports=(68, 67)) for number in range(60)],
        [arp(number) for number in range(60)],
    ],
    ids=[
        "few",
        "slow",
        "one place",
        "link-local",
        "none yet",
        "no thing",
        "moves on",
        "left over",
        "another's claim",
        "asks for one",
        "ARP",
    ],
)
def test_one_machine_is_not_told(packets):
    assert not told(NAME, *packets)
