import dataclasses

import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, LAMP, LAMP_ID, SCENE, STRANGER, arp, back, ip, syn, told
from thingstead.analysis.traffic.name_book import NameBook

NAME = "horizontal_scan"


def sweep(count, *, every=1.0, port=23, **fields):
    return [syn(number * every, to=f"203.0.113.{number + 1}", port=port, **fields) for number in range(count)]


@pytest.mark.requirement("R-38")
def test_a_device_that_asks_many_hosts_on_one_port_is_found_with_the_hosts():
    (found,) = told(NAME, *sweep(20))
    assert (found.device, found.thing, found.subject) == (LAMP, LAMP_ID, "on TCP port 23")
    assert (found.first, found.last, len(found.evidence)) == (0, 19, 8)
    assert found.evidence[0] == "203.0.113.1 asked on TCP port 23"
    assert "20 hosts" in found.explanation


def test_hosts_that_were_looked_up_are_nobody_s_scan_and_do_not_hide_one():
    names = NameBook()
    for number in range(100):
        names.learn(f"cdn{number}.example", ip(f"203.0.114.{number + 1}"), at=0.0, ttl=86_400)
    scene = dataclasses.replace(SCENE, names=names)
    page = [syn(number / 5, to=f"203.0.114.{number + 1}", port=443) for number in range(100)]
    assert not told(NAME, *page, scene=scene)
    (found,) = told(NAME, *page, *sweep(20), scene=scene)
    assert found.subject == "on TCP port 23"


def test_a_stranger_that_looks_for_all_neighbours_is_found():
    (found,) = told(NAME, *[arp(number / 10, mac=STRANGER, target=f"192.168.1.{number}") for number in range(48)])
    assert (found.device, found.thing, found.subject) == (STRANGER, None, "by ARP")


@pytest.mark.parametrize(
    "packets",
    [
        sweep(19),
        sweep(100, every=4.0),
        [syn(number, to="203.0.113.1", port=23, from_port=40_000 + number) for number in range(100)],
        [syn(number, to=f"203.0.113.{number}", port=1000 + number) for number in range(100)],
        [back(one) for one in sweep(100)],
        [arp(number / 10, target=f"192.168.1.{number}") for number in range(47)],
        [arp(number / 10, operation=2, target=f"192.168.1.{number}") for number in range(100)],
        [arp(number / 10, mac=GATEWAY, target=f"192.168.1.{number}") for number in range(100)],
    ],
    ids=["few", "slow", "one host", "a port each", "answers", "few neighbours", "who answers", "the gateway"],
)
def test_what_is_no_sweep_is_not_told(packets):
    assert not told(NAME, *packets)
