import dataclasses

import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, LAMP, OTHER_IP, REMOTE_IP, SCENE, back, ip, tcp, told
from thingstead.analysis.traffic.name_book import NameBook

NAME = "upload"
KIB = bytes(1024)


def sends(count, *, every=0.1, **fields):
    return [tcp(number * every, KIB, **fields) for number in range(count)]


@pytest.mark.requirement("R-38")
def test_much_that_leaves_for_an_unknown_address_is_found():
    (found,) = told(NAME, *sends(256))
    assert (found.device, found.subject) == (LAMP, REMOTE_IP)
    assert found.evidence == (f"262144 octets to {REMOTE_IP}, 0 back",)


def test_frames_of_which_only_the_beginning_was_kept_count_whole():
    (found,) = told(NAME, *[tcp(number / 10, KIB, length=16 * 1024 + 54) for number in range(16)])
    assert found.evidence == (f"262144 octets to {REMOTE_IP}, 0 back",)


def test_where_a_name_led_it_may_go():
    names = NameBook()
    names.learn("cloud.example.com", ip(REMOTE_IP), at=0.0, ttl=3600)
    assert not told(NAME, *sends(1000), scene=dataclasses.replace(SCENE, names=names))


@pytest.mark.parametrize(
    "packets",
    [
        sends(255),
        sends(2000, every=0.5),
        [each for one in sends(600) for each in (one, back(one, payload=bytes(200)))],
        sends(600, to=OTHER_IP),
        sends(600, mac=GATEWAY),
        [back(one, payload=KIB) for one in sends(600)],
        [tcp(number / 10, KIB, to=f"203.0.113.{number % 200 + 1}") for number in range(600)],
    ],
    ids=["little", "slow", "answered", "a neighbour", "the gateway", "a download", "many hosts"],
)
def test_what_is_no_leak_is_not_told(packets):
    assert not told(NAME, *packets)
