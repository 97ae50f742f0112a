import pytest

from tests.unit.analysis.detectors.traffic import GATEWAY, STRANGER, packet, syn, told
from thingstead.analysis.detectors.scene import Scene

NAME = "rogue_router"


def says(icmp, *, protocol=58, by=STRANGER):
    return packet(1.0, source="fe80::4", to="fe80::5", mac=by, protocol=protocol, ports=(None, None), icmp=icmp)


@pytest.mark.spec("RFC 6104")
@pytest.mark.parametrize(
    ("protocol", "icmp", "what"),
    [
        (58, (134, 0), "router advertisement"),
        (58, (137, 0), "redirect"),
        (1, (5, 1), "redirect"),
        (1, (9, 0), "router advertisement"),
    ],
)
def test_who_plays_the_router_is_found(protocol, icmp, what):
    (found,) = told(NAME, says(icmp, protocol=protocol))
    assert (found.device, found.subject) == (STRANGER, what)
    assert found.evidence == (f"{what} from fe80::4, 02:00:00:00:00:04",)


@pytest.mark.parametrize(
    "one",
    [says((134, 0), by=GATEWAY), says((133, 0)), says((134, 0), protocol=1), syn(0, mac=STRANGER)],
    ids=["the router", "who looks for one", "another protocol", "TCP"],
)
def test_what_plays_no_router_is_not_told(one):
    assert not told(NAME, one)


def test_where_nobody_says_who_routes_nobody_is_accused():
    assert not told(NAME, says((134, 0)), scene=Scene())
