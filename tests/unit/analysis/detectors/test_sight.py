import pytest

from tests.unit.analysis.detectors.traffic import LAMP, arp, back, ip, packet, syn, udp
from thingstead.analysis.detectors import sight


@pytest.mark.spec("RFC 9293 3.5")
@pytest.mark.parametrize(
    ("one", "opens"),
    [
        (syn(0), True),
        (back(syn(0), flags=0x12), False),
        (packet(0, flags=0x10), False),
        (udp(0), False),
        (arp(0), False),
    ],
    ids=["SYN", "SYN and ACK", "ACK", "UDP", "ARP"],
)
def test_what_asks_for_a_connection(one, opens):
    assert sight.opens(one) is opens


def test_who_is_one_and_who_are_many():
    assert sight.is_group(arp(0))
    assert not sight.is_group(syn(0))
    assert not sight.is_group(packet(0, to_mac=b""))


def test_addresses_in_text():
    assert sight.at(ip("2001:db8::1"), 80) == "2001:db8::1 port 80"
    assert sight.host(ip("192.0.2.1")) == "192.0.2.1"
    assert sight.mac(LAMP) == "02:00:00:00:00:01"
