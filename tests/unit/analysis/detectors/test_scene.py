import pytest

from tests.unit.analysis.detectors.traffic import (
    GATEWAY,
    GATEWAY_IP,
    LAMP,
    LAMP_IP,
    OTHER,
    REMOTE_IP,
    SCENE,
    arp,
    ip,
    syn,
)
from thingstead.analysis.detectors.scene import Scene


@pytest.mark.parametrize(
    ("address", "is_outside"),
    [
        ("198.51.100.7", True),
        ("2001:db8::1", True),
        ("192.168.1.1", False),
        ("fe80::1", False),
        ("224.0.0.251", False),
        ("255.255.255.255", False),
        ("ff02::fb", False),
        ("0.0.0.0", False),
        ("::", False),
    ],
)
def test_who_is_outside(address, is_outside):
    assert Scene().is_outside(ip(address)) is is_outside
    assert not Scene().is_outside(b"")


@pytest.mark.parametrize(
    ("one", "is_relayed"),
    [
        (syn(0, source=LAMP_IP), False),
        (syn(0, source=LAMP_IP, mac=GATEWAY), True),
        (syn(0, source=GATEWAY_IP, mac=GATEWAY), False),
        (syn(0, source=REMOTE_IP, mac=GATEWAY), False),
    ],
    ids=["its own", "passed on", "the gateway's own", "from outside"],
)
def test_what_a_gateway_passes_on_was_seen_before(one, is_relayed):
    assert SCENE.is_relayed(one) is is_relayed


def test_an_address_is_its_owner_s_as_long_as_that_uses_it():
    scene = Scene(addresses=dict(SCENE.addresses))
    assert scene.owner(ip(LAMP_IP), 0.0) is None
    scene.hear(syn(10.0, mac=OTHER))
    assert scene.owner(ip(LAMP_IP), 10.0) is None
    scene.hear(arp(20.0))
    assert [scene.owner(ip(LAMP_IP), at) for at in (20.0, 3620.0, 3621.0)] == [LAMP, LAMP, None]
    assert scene.owner(ip(REMOTE_IP), 20.0) is None


@pytest.mark.parametrize(
    ("one", "device"),
    [
        (syn(0, source=REMOTE_IP, to=LAMP_IP, mac=GATEWAY, to_mac=LAMP), LAMP),
        (syn(0, source=GATEWAY_IP, to=LAMP_IP, mac=GATEWAY, to_mac=GATEWAY), LAMP),
        (syn(0, to=REMOTE_IP), GATEWAY),
    ],
    ids=["direct", "by way of the gateway", "outside"],
)
def test_whom_a_packet_is_for(one, device):
    assert SCENE.receiver(one) == device
