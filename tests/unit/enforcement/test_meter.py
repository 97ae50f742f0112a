import errno
from ipaddress import ip_address, ip_network

import pytest

from thingstead.domain.network import NO_MAC, FlowRule, NetworkChange, RuleTraffic, ThingAddress, Traffic
from thingstead.enforcement.layout import lay_out
from thingstead.enforcement.meter import Meter
from thingstead.enforcement.netlink import NetfilterSocket, NetlinkError, attribute, nested
from thingstead.enforcement.table import Element, Table
from thingstead.identifier import ThingId

ONE = ThingId("thing-aaaaaaaaaaaaaaaa")
HERE = ip_address("10.77.1.1")
WEB = FlowRule(True, ip_network("198.51.100.2/32"), 6, (443, 443))
CHANGE = NetworkChange(ONE, (ThingAddress(NO_MAC, HERE),), frozenset({WEB}))


def row(key, packets=0, comment=b""):
    counter = nested(7, attribute(1, b"counter\0"), nested(2, attribute(2, packets.to_bytes(8, "big"))))
    user = attribute(6, bytes([0, len(comment)]) + comment) if comment else b""
    return nested(1, nested(1, attribute(1, key)), counter, user)


class Kernel(NetfilterSocket):
    """Has rows in some sets; no socket is opened."""

    def __init__(self, error=None, **sets):
        self.sets, self.error = sets, error

    def ask(self, message, *, dump=False):
        if self.error is not None:
            raise NetlinkError(self.error, "a request")
        rows = [
            row
            for name, rows in self.sets.items()
            if attribute(2, name.encode() + b"\0") in message.body
            for row in rows
        ]
        return [nested(3, *rows)]


def meter(error=None, **sets):
    return Meter(Kernel(error, **sets), Table("t"))


def test_what_is_not_there_is_no_fault():
    gone = meter(errno.ENOENT)
    assert not gone.has_table()
    assert not gone.has(Element("thing4", bytes(12)))
    assert gone.bases() == {}
    assert gone.rule_traffic(lay_out(CHANGE)) == (RuleTraffic(WEB, False, 0),)


@pytest.mark.parametrize("ask", [Meter.has_table, Meter.bases, lambda one: one.has(Element("thing4", bytes(12)))])
def test_a_kernel_that_does_not_answer_is_one(ask):
    with pytest.raises(NetlinkError):
        ask(meter(errno.EPERM))


def test_a_set_whose_counters_cannot_be_read_is_one_too():
    with pytest.raises(NetlinkError):
        meter(errno.ENOENT).traffic([lay_out(CHANGE)])


def test_what_a_thing_sent_is_what_passed_and_what_was_dropped_while_it_was_barred():
    key, pair = HERE.packed, HERE.packed + bytes(8)
    told = meter(thing4=[row(pair, 5)], bound4=[row(pair, 2)], refused4=[row(key, 3)], stopped4=[row(key, 4)])
    assert told.traffic([lay_out(CHANGE)]) == (Traffic(ONE, seen=11, refused=7),)


def test_packets_of_others_are_theirs():
    other = ip_address("10.77.1.2").packed
    assert meter(thing4=[row(other + bytes(8), 5)]).traffic([lay_out(CHANGE)]) == (Traffic(ONE, seen=0, refused=0),)


def test_what_flows_rest_on_is_read_as_it_was_written():
    assert meter(basis4=[row(HERE.packed, comment=b"0123\0"), row(bytes(4))]).bases() == {
        HERE.packed: "0123",
        bytes(4): "",
    }
