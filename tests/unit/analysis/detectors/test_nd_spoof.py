import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, LAMP, OTHER, STRANGER, ip, packet, syn, told
from thingstead.analysis.detectors.scene import Scene

NAME, LAMP_6, GATEWAY_6 = "nd_spoof", "fd00::11", "fd00::1"
SCENE_6 = Scene(
    gateways=frozenset({GATEWAY}), gateway_addresses=frozenset({ip(GATEWAY_6)}), addresses={ip(LAMP_6): LAMP}
)


def advertises(address, *, by, icmp=(136, 0), payload=None):
    body = bytes([0x20, 0, 0, 0]) + ip(address) if payload is None else payload
    fields = {"source": "fe80::4", "to": "ff02::1", "to_mac": bytes.fromhex("333300000001"), "ports": (None, None)}
    return packet(1.0, mac=by, protocol=58, icmp=icmp, payload=body, **fields)


@pytest.mark.requirement("R-34")
@pytest.mark.spec("RFC 3756 4.1.1")
@pytest.mark.parametrize("address", [LAMP_6, GATEWAY_6])
def test_who_advertises_an_address_of_another_is_found(address):
    spoken = syn(0, source=LAMP_6, to="fd00::5")
    (found,) = told(NAME, spoken, advertises(address, by=STRANGER), scene=SCENE_6)
    assert (found.device, found.subject) == (STRANGER, address)


@pytest.mark.parametrize(
    "one",
    [
        advertises(LAMP_6, by=LAMP),
        advertises(LAMP_6, by=GATEWAY),
        advertises(GATEWAY_6, by=GATEWAY),
        advertises("fd00::99", by=STRANGER),
        advertises(LAMP_6, by=OTHER),
        advertises(LAMP_6, by=STRANGER, icmp=(135, 0)),
        advertises(LAMP_6, by=STRANGER, payload=bytes(19)),
        advertises(LAMP_6, by=OTHER, payload=b""),
        syn(0),
    ],
    ids=["its own", "through the gateway", "the gateway", "nobody's", "never used", "asks", "cut off", "empty", "TCP"],
)
def test_what_is_no_lie_is_not_told(one):
    assert not told(NAME, one, scene=SCENE_6)
