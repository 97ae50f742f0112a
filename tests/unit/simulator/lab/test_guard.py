"""Nothing leaves: an address that is not the lab's is refused, and so is a lab without a network of its own."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest

from thingstead.errors import DecodeError, ForbiddenError
from thingstead.simulator.lab import frame
from thingstead.simulator.lab.guard import Guard, namespace_here

MACS = bytes.fromhex("027700000001"), bytes.fromhex("027700000000")


class Nowhere(Guard):
    """The checks of acts alone, where no namespace is made."""

    def __init__(self):
        self._networks = (ip_network("10.77.0.0/16"), ip_network("fd77::/64"), ip_network("192.0.2.0/24"))


def test_a_process_that_is_still_at_home_gets_no_guard_and_so_sends_nothing():
    with pytest.raises(ForbiddenError, match="no network of its own"):
        Guard([ip_network("10.77.0.0/16")], home=namespace_here())


def test_a_namespace_with_interfaces_of_others_gets_none(monkeypatch):
    monkeypatch.setattr("socket.if_nameindex", lambda: [(1, "lo"), (2, "wlan0")])
    with pytest.raises(ForbiddenError, match="no lab made: wlan0"):
        Guard([ip_network("10.77.0.0/16")], home=-1)


@pytest.mark.parametrize("address", ["9.9.9.9", "127.0.0.1", "10.78.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"])
def test_an_address_outside_is_refused(address):
    with pytest.raises(ForbiddenError, match="outside the lab"):
        Nowhere().require_address(IPv4Address(address))


@pytest.mark.parametrize("address", ["2001:4860:4860::8888", "::1", "fe80::1", "fd78::1"])
def test_an_ipv6_address_outside_is_refused(address):
    with pytest.raises(ForbiddenError, match="outside the lab"):
        Nowhere().require_address(IPv6Address(address))


@pytest.mark.parametrize("address", ["10.77.3.4", "192.0.2.53", "224.0.0.251", "255.255.255.255"])
def test_an_address_of_the_lab_passes(address):
    Nowhere().require_address(IPv4Address(address))


def test_a_frame_to_an_address_outside_is_refused():
    whole = frame.udp((IPv4Address("10.77.1.1"), 1), (IPv4Address("9.9.9.9"), 53), b"", macs=MACS)
    with pytest.raises(ForbiddenError, match=r"9\.9\.9\.9 is outside the lab"):
        Nowhere().require_frame(whole)


def test_a_frame_within_the_lab_passes():
    Nowhere().require_frame(
        frame.udp((IPv4Address("9.9.9.9"), 1), (IPv4Address("10.77.1.1"), 53), b"", macs=MACS),
    )


def test_what_is_no_frame_is_refused():
    with pytest.raises(DecodeError):
        Nowhere().require_frame(b"short")
