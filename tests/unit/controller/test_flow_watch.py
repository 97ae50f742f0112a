"""Conversations of things are kept when they are over, with the names that the thing looked up; others' are not."""

import asyncio
from ipaddress import ip_address

import pytest

from tests.unit.controller.test_drop_watch import FAR, HERE, MAC, frame
from tests.unit.controller.test_flow_history import LAMP, OTHER, Desk
from thingstead.controller.flow_watch import FlowWatch
from thingstead.controller.neighbourhood import Neighbourhood
from thingstead.domain.network import ThingAddress
from thingstead.protocols.packet.packet import decode_frame

pytestmark = pytest.mark.requirement("R-81")


class Tap:
    def __init__(self):
        self.desk = Desk()
        known = Neighbourhood(lambda: {LAMP: (ThingAddress(MAC, ip_address(HERE)),)}, clock=self.desk.clock)
        asyncio.run(known.look())
        self.watch = FlowWatch(known, self.desk.history, clock=self.desk.clock, apart=frozenset({FAR}))

    def see(self, *frames):
        at = self.desk.clock.utc().timestamp()
        for one in frames:
            self.watch.see(decode_frame(one, at=at))
        return self

    def later(self, seconds=301):
        self.desk.clock.seconds += seconds
        asyncio.run(self.watch.look())
        return self.desk


def test_a_conversation_is_kept_once_it_is_over():
    tap = Tap().see(frame(HERE, "198.51.100.7"), frame("198.51.100.7", HERE, (23, 40000), flags=18, macs=(FAR, MAC)))
    assert tap.desk.of() == ()
    (one,) = tap.later().of()
    assert (one.outbound, one.address, one.port, one.packets_out, one.packets_in) == (True, "198.51.100.7", 23, 1, 1)


def test_what_goes_on_is_not_over():
    tap = Tap().see(frame(HERE, "198.51.100.7"))
    tap.later(200)
    assert tap.see(frame(HERE, "198.51.100.7", flags=16)).later(200).of() == ()
    (one,) = tap.later().of()
    assert one.packets_out == 2


def test_what_goes_on_is_told_at_once_and_counted_once():
    tap = Tap().see(frame(HERE, "198.51.100.7"))
    tap.desk.history.going.append(tap.watch.open)
    assert [one.packets_out for one in tap.desk.of()] == [1]
    assert tap.desk.of(OTHER) == ()
    assert [(one.packets_out, one.flows) for one in tap.later().of()] == [(1, 1)]


@pytest.mark.spec("RFC 4443 3")
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 133, 135, 136, 143])
def test_what_the_link_lives_by_is_not_told(kind):
    icmp = bytes([kind, 0, 0, 0]) + bytes(20)
    addresses = ip_address("fd77::2").packed + ip_address("fd77::1").packed
    head = b"\x60\0\0\0" + len(icmp).to_bytes(2, "big") + b"\x3a\xff" + addresses
    arp = FAR + MAC + b"\x08\x06" + bytes.fromhex("0001080006040001") + MAC + bytes(4) + bytes(6) + bytes(4)
    assert Tap().see(FAR + MAC + b"\x86\xdd" + head + icmp, arp).later().of() == ()


@pytest.mark.spec("RFC 792")
@pytest.mark.parametrize("kind", [3, 4, 5, 11, 12])
def test_an_error_begins_no_conversation(kind):
    addresses = ip_address("10.77.0.1").packed + ip_address(HERE).packed
    head = b"\x45\0\0\x24\0\0\0\0\x40\x01\0\0" + addresses
    assert Tap().see(MAC + FAR + b"\x08\0" + head + bytes([kind, 1]) + bytes(14)).later().of() == ()


def test_a_ping_is():
    icmp = bytes([128, 0, 0, 0]) + bytes(4)
    addresses = ip_address("fd77::2").packed + ip_address("fd77::1").packed
    ping = FAR + MAC + b"\x86\xdd" + b"\x60\0\0\0\0\x08\x3a\xff" + addresses + icmp
    (one,) = Tap().see(ping).later().of()
    assert (one.protocol, one.port) == (58, None)


def test_devices_that_are_no_things_are_not_kept():
    stranger = bytes.fromhex("020000000077")
    desk = Tap().see(frame("10.77.0.77", "198.51.100.7", macs=(stranger, FAR))).later()
    assert desk.of() == desk.of(OTHER) == ()
    assert desk.keys() == []
