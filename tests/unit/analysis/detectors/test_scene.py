import pytest

from tests.unit.analysis.detectors.traffic import (
    GATEWAY,
    GATEWAY_IP,
    LAMP,
    LAMP_IP,
    OTHER,
    REMOTE_IP,
    SCENE,
    STRANGER,
    arp,
    ip,
    syn,
    udp,
)
from tests.unit.protocols.dhcp.messages import option4, v4
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


def leased(at, *, mac=GATEWAY, to=STRANGER, address=LAMP_IP, kind=5):
    """The gateway's word that an address is somebody's now (RFC 2131 §4.3.1)."""
    payload = v4(option4(53, bytes([kind])), operation=2, given=ip(address), mac=to)
    return udp(at, payload, source=GATEWAY_IP, to="255.255.255.255", mac=mac, ports=(67, 68))


@pytest.mark.requirement("R-34")
@pytest.mark.spec("RFC 2131 4.3.1")
def test_an_address_that_the_gateway_gave_to_another_is_nobody_s_until_it_is_bound():
    scene = Scene(gateways=SCENE.gateways, addresses=dict(SCENE.addresses))
    scene.hear(arp(10.0))
    scene.hear(leased(20.0))
    scene.hear(arp(30.0))
    assert scene.owner(ip(LAMP_IP), 30.0) is None
    scene.hear(leased(40.0, to=LAMP))
    assert scene.owner(ip(LAMP_IP), 40.0) == LAMP


@pytest.mark.requirement("R-34")
@pytest.mark.parametrize(
    "said",
    [leased(20.0, mac=STRANGER), leased(20.0, kind=2), leased(20.0, kind=6), leased(20.0, address="0.0.0.0")],
    ids=["a stranger", "an offer", "a refusal", "no address"],
)
def test_nobody_else_can_say_that_an_address_was_given_away(said):
    scene = Scene(gateways=SCENE.gateways, addresses=dict(SCENE.addresses))
    scene.hear(arp(10.0))
    scene.hear(said)
    assert scene.owner(ip(LAMP_IP), 30.0) == LAMP


@pytest.mark.parametrize(
    ("one", "is_claimed"),
    [
        (arp(0.0, sender="192.168.1.77"), True),
        (arp(0.0, sender="192.168.1.77", operation=2), True),
        (arp(0.0, sender="192.168.1.77", target="192.168.1.77"), False),
        (arp(0.0, sender="192.168.1.77", mac=OTHER), False),
        (syn(0.0, source="192.168.1.77"), False),
    ],
    ids=["asks", "answers", "announces", "another", "sends"],
)
def test_an_address_is_claimed_by_whom_others_could_reach_under_it(one, is_claimed):
    scene = Scene(addresses=dict(SCENE.addresses))
    scene.hear(one)
    assert scene.claims(LAMP, ip("192.168.1.77")) is is_claimed
    assert scene.claims(LAMP, ip(LAMP_IP))


@pytest.mark.parametrize("address", ["169.254.3.4", "0.0.0.0"])
def test_nobody_claims_what_is_no_address_of_the_site(address):
    scene = Scene(addresses={ip(address): LAMP})
    scene.hear(arp(0.0, sender=address))
    assert not scene.claims(LAMP, ip(address))
