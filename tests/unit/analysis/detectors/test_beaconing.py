import dataclasses

import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, LAMP, OTHER_IP, REMOTE_IP, SCENE, ip, syn, told, udp
from thingstead.analysis.traffic.name_book import NameBook

NAME = "beaconing"


def beacons(count=8, *, every=30.0, jitter=(0.0,), make=syn, **fields):
    """Contacts by the clock, each from a port of its own."""
    times = [number * every + jitter[number % len(jitter)] for number in range(count)]
    if make is udp:
        return [udp(at, b"hello", ports=(4000, 9), **fields) for at in times]
    return [syn(at, from_port=5000 + number, port=6667, **fields) for number, at in enumerate(times)]


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize("every", [1.0, 30.0, 3600.0])
def test_who_asks_an_address_by_the_clock_is_found(every):
    (found,) = told(NAME, *beacons(every=every, jitter=(0.0, every * 0.05)))
    assert (found.device, found.subject) == (LAMP, f"{REMOTE_IP} port 6667")
    assert found.evidence[0] == f"0.0 s: contact with {REMOTE_IP} port 6667"


def test_datagrams_by_the_clock_are_found_where_they_are_no_stream():
    assert told(NAME, *beacons(make=udp))
    assert not told(NAME, *beacons(100, make=udp, every=5.0))


def test_what_was_looked_up_is_somebody_whom_it_knows():
    names = NameBook()
    names.learn("cloud.example.com", ip(REMOTE_IP), at=0.0, ttl=3600)
    scene = dataclasses.replace(SCENE, names=names)
    assert not told(NAME, *beacons(), scene=scene)
    assert told(NAME, *beacons(20, every=600.0), scene=scene), "an answer ends"


@pytest.mark.parametrize(
    "packets",
    [
        beacons(7),
        beacons(8, every=0.2),
        beacons(100, jitter=(0.0, 11.0, 3.0)),
        beacons(100, to=OTHER_IP),
        beacons(100, mac=GATEWAY),
        [syn(number * 30.0, port=6667) for number in range(100)],
        [syn(number * 30.0, to=f"203.0.113.{number + 1}", from_port=number) for number in range(100)],
        [udp(number * 64.0, bytes(48), ports=(123, 123)) for number in range(100)],
        [udp(number * 64.0, bytes(48), ports=(4000, 53)) for number in range(100)],
    ],
    ids=["few", "fast", "uneven", "a neighbour", "the gateway", "one try", "many hosts", "time", "names"],
)
def test_what_is_no_beacon_is_not_told(packets):
    assert not told(NAME, *packets)
