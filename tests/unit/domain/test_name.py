from ipaddress import ip_address, ip_network

import pytest

from thingstead.domain.name import is_inside

LOCAL = (ip_network("10.77.0.0/16"), ip_network("fd77::/64"))


@pytest.mark.parametrize(
    "address",
    ["10.77.3.4", "fd77::9", "127.0.0.1", "::1", "224.0.0.1", "ff02::1", "169.254.1.1", "fe80::1", "0.0.0.0", "::",
     "255.255.255.255", "::ffff:10.77.3.4", "::ffff:127.0.0.1", "64:ff9b::10.77.3.4",
     "2002:a4d:304::1", "2002:7f00:1::"],
)  # fmt: skip
def test_a_name_may_not_stand_for_what_is_inside(address):
    assert is_inside(ip_address(address), LOCAL)


@pytest.mark.parametrize(
    "address",
    ["198.51.100.7", "2001:db8::7", "10.78.0.1", "::ffff:198.51.100.7", "64:ff9b::198.51.100.7", "2002:c633:6407::1"],
)
def test_a_name_may_stand_for_what_is_outside(address):
    assert not is_inside(ip_address(address), LOCAL)


def test_a_site_behind_a_relay_of_its_own_is_inside():
    assert is_inside(ip_address("2002:c633:6407::1"), (ip_network("2002:c633:6407::/48"),))
