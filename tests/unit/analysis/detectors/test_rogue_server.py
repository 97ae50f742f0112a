import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, LAMP, LAMP_IP, STRANGER, lookup, packet, told, udp
from thingstead.analysis.detectors.scene import Scene

NAME, RESPONSE = "rogue_server", bytes([0, 7, 0x81, 0x80, 0, 1])


def answers(ports, *, by=STRANGER, payload=RESPONSE):
    return udp(1.0, payload, source="192.168.1.66", to=LAMP_IP, mac=by, to_mac=LAMP, ports=ports)


@pytest.mark.spec("RFC 2131 7")
@pytest.mark.parametrize(("ports", "kind"), [((67, 68), "DHCP"), ((547, 546), "DHCPv6"), ((53, 40_000), "DNS")])
def test_who_answers_in_the_place_of_the_gateway_is_found(ports, kind):
    (found,) = told(NAME, answers(ports))
    assert (found.device, found.subject) == (STRANGER, kind)


@pytest.mark.parametrize(
    "one",
    [
        answers((67, 68), by=GATEWAY),
        answers((53, 40_000), by=GATEWAY),
        answers((68, 67)),
        answers((546, 547)),
        answers((53, 40_000), payload=bytes([0, 7, 0x01, 0x00])),
        answers((53, 40_000), payload=b""),
        lookup(0, "example.com"),
        packet(0, mac=STRANGER, ports=(67, 68)),
    ],
    ids=["the gateway", "its names", "who asks", "who asks by IPv6", "a question", "empty", "a look-up", "TCP"],
)
def test_what_is_no_answer_of_a_stranger_is_not_told(one):
    assert not told(NAME, one)


def test_where_nobody_says_who_the_gateway_is_nobody_is_accused():
    assert not told(NAME, answers((67, 68)), scene=Scene())
