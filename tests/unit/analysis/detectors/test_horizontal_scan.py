import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, LAMP, LAMP_ID, STRANGER, arp, back, syn, told

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
