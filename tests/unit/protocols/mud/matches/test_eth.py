import pytest

from tests.unit.protocols.mud.fixture import entry, require_left_out, with_ace
from thingstead.errors import DecodeError
from thingstead.protocols.mud.parser import parse


def test_a_broadcast_frame_to_the_broadcast_address_says_nothing_new():
    ethernet = {"ethertype": "0x0800", "destination-mac-address": "ff:ff:ff:ff:ff:ff"}
    found = entry({"eth": ethernet, "ipv4": {"destination-ipv4-network": "255.255.255.255/32"}})
    assert str(found.remote.prefix) == "255.255.255.255/32"


@pytest.mark.spec("RFC 8520 3.9")
@pytest.mark.parametrize(
    "matches",
    [
        {"eth": {"source-mac-address": "02:00:00:00:00:01"}},
        {"eth": {"destination-mac-address": "02:00:00:00:00:01"}},
        {"eth": {"destination-mac-address": "ff:ff:ff:ff:ff:ff"}, "ietf-mud:mud": {"my-controller": [None]}},
        {"eth": {"destination-mac-address": "01:00:5e:00:00:16"}, "ipv4": {"destination-ipv4-network": "224.0.0.0/24"}},
        {"eth": {"destination-mac-address": "01:00:5e:00:00:16"}, "ipv4": {"destination-ipv4-network": "224.0.0.1/32"}},
        {"eth": {"destination-mac-address-mask": "ff:ff:ff:00:00:00"}},
        {"eth": {"ethertype": 0x86DD}},
        {"eth": {"ethertype": "0x0806"}},
    ],
)
def test_an_ethernet_condition_that_cannot_be_kept_leaves_the_entry_out(matches):
    require_left_out(matches)


@pytest.mark.spec("RFC 8519 4.2")
@pytest.mark.parametrize(
    ("matches", "message"),
    [
        ({"eth": {"ethertype": "appletalk"}}, "from 0 to 65535"),
        ({"eth": {"destination-mac-address": "ff-ff-ff-ff-ff-ff"}}, "six octets"),
        ({"eth": {"destination-mac-address": "ff:ff:ff:ff:ff"}}, "six octets"),
        ({"eth": {"ethertype": "0xzz"}}, "from 0 to 65535"),
        ({"eth": {"ethertype": "0x08\u0663"}}, "from 0 to 65535"),
        ({"eth": {"ethertype": "0x10800"}}, "from 0 to 65535"),
    ],
)
def test_an_ethernet_condition_outside_its_type_refuses_the_file(matches, message):
    with pytest.raises(DecodeError, match=message):
        parse(with_ace(matches))
