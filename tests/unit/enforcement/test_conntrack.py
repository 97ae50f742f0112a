import errno
from ipaddress import ip_address, ip_network

import pytest

from thingstead.domain.network import NO_MAC, ThingAddress
from thingstead.enforcement.conntrack import end_flows, end_flows_of, within
from thingstead.enforcement.netlink import NetfilterSocket, NetlinkError, attribute, nested, parse_attributes

GONE = NetlinkError(errno.ENOENT, "a request")


def entry(source, destination, *, translated=None, zone=b""):
    """As the kernel tells of it: both directions, and what each side calls the other."""
    source, destination = ip_address(source), ip_address(destination)
    first = 1 if source.version == 4 else 3
    there = attribute(first, source.packed) + attribute(first + 1, destination.packed)
    back = attribute(first, destination.packed) + attribute(first + 1, ip_address(translated or source).packed)
    sides = nested(1, nested(1, there)) + nested(2, nested(1, back))
    return sides + (attribute(18, zone) if zone else b"")


class Kernel(NetfilterSocket):
    """Tracks some flows; no socket is opened."""

    def __init__(self, *entries, refuses=None):
        self.entries, self.refuses, self.sent = entries, refuses, []

    def ask(self, message, *, dump=False):
        assert dump
        assert message.family == 0
        return list(self.entries)

    def request(self, message):
        if self.refuses is not None:
            raise self.refuses
        self.sent.append(dict(parse_attributes(message.body)))


INSIDE = within([ip_network("10.77.0.0/16"), ip_network("fd77::/64")])


@pytest.mark.parametrize(
    "flow",
    [
        entry("10.77.1.1", "198.51.100.2"),
        entry("198.51.100.2", "10.77.255.255"),
        entry("10.77.0.0", "198.51.100.2", translated="198.51.100.1"),
        entry("198.51.100.9", "198.51.100.2", translated="10.77.3.3"),
        entry("fd77::ffff", "2001:db8::1"),
    ],
)
def test_flows_from_and_to_the_networks_end_however_they_are_translated(flow):
    kernel = Kernel(flow)
    assert end_flows_of(kernel, INSIDE) == 1
    assert kernel.sent[0][1] == dict(parse_attributes(flow))[1]


@pytest.mark.parametrize(
    "flow",
    [
        entry("10.76.255.255", "198.51.100.2"),
        entry("10.78.0.0", "198.51.100.2"),
        entry("fd78::", "2001:db8::1"),
        b"",
        nested(1, b""),
        nested(1, nested(1, attribute(9, b"x"))),
    ],
)
def test_flows_of_others_and_what_nobody_can_read_go_on(flow):
    kernel = Kernel(flow)
    assert end_flows_of(kernel, INSIDE) == 0
    assert kernel.sent == []


def test_of_many_addresses_the_kernel_is_asked_once():
    kernel = Kernel(entry("10.77.1.1", "198.51.100.2"), entry("10.77.9.9", "198.51.100.2"), entry("fd77::3", "fd77::9"))
    ips = [ip_address(f"10.77.1.{number}") for number in range(1, 9)] + [ip_address("fd77::3")]
    end_flows(kernel, [ThingAddress(NO_MAC, ip) for ip in ips])
    assert [sent[1] for sent in kernel.sent] == [dict(parse_attributes(one))[1] for one in kernel.entries[::2]]


def test_a_zone_of_its_own_is_named():
    kernel = Kernel(entry("10.77.1.1", "198.51.100.2", zone=b"\0\7"))
    end_flows_of(kernel, INSIDE)
    assert kernel.sent[0][18] == b"\0\7"


def test_a_flow_that_ended_by_itself_is_no_fault():
    assert end_flows_of(Kernel(entry("10.77.1.1", "198.51.100.2"), refuses=GONE), INSIDE) == 1


def test_a_kernel_that_refuses_is_told_of():
    refuses = NetlinkError(errno.EPERM, "a request")
    with pytest.raises(NetlinkError):
        end_flows_of(Kernel(entry("10.77.1.1", "198.51.100.2"), refuses=refuses), INSIDE)
    with pytest.raises(NetlinkError):
        end_flows(Kernel(refuses=refuses), [ThingAddress(NO_MAC, ip_address("10.77.1.1"))])


def test_no_network_holds_no_address():
    assert end_flows_of(Kernel(entry("10.77.1.1", "198.51.100.2")), within([])) == 0


def test_both_directions_of_each_address_end():
    kernel = Kernel()
    end_flows(kernel, [ThingAddress(NO_MAC, ip_address(one)) for one in ("10.77.1.1", "fd77::1")])
    assert len(kernel.sent) == 4
