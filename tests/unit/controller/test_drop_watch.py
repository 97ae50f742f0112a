"""What the kernel dropped is put with the thing that it is about, and what cannot be read is counted."""

import asyncio
import struct
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from tests.unit.controller.test_flow_history import LAMP, NO, OTHER, Desk, flow
from thingstead.controller.drop_watch import DropWatch
from thingstead.controller.neighbourhood import Neighbourhood
from thingstead.domain.network import Drop, ThingAddress
from thingstead.errors import TransportError

MAC, FAR = bytes.fromhex("020000000001"), bytes.fromhex("0200000000fe")
HERE = "10.77.0.2"


def frame(source, destination, ports=(40000, 23), *, flags=2, macs=(MAC, FAR), protocol=6):
    addresses = ip_address(source).packed + ip_address(destination).packed
    tcp = struct.pack("!HHIIBBHHH", *ports, 1, 0, 5 << 4, flags, 1024, 0, 0)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, protocol, 0) + addresses
    return macs[1] + macs[0] + b"\x08\x00" + ip + tcp


class Watch:
    def __init__(self):
        self.desk = Desk()
        self.rows: Any = ()
        known = Neighbourhood(self.located, clock=self.desk.clock)
        asyncio.run(known.look())
        self.cut_off: set[str] = set()
        self.names: dict[str, tuple[str, ...]] = {}
        self.watch = DropWatch(
            self.drops,
            known,
            self.desk.history,
            is_cut_off=lambda one: one in self.cut_off,
            names_of=lambda address, _at: self.names.get(str(ip_address(address)), ()),
        )

    @staticmethod
    def located():
        other = ThingAddress(FAR[:5] + b"\3", ip_address("10.77.0.9"))
        return {LAMP: (ThingAddress(MAC, ip_address(HERE)),), OTHER: (other,)}

    async def drops(self):
        if self.rows is None:
            raise TransportError("away")
        return self.rows

    def look(self, *heads, reason="refused"):
        self.rows = tuple([Drop(1_700_000_000.0, reason, head) for head in heads])
        asyncio.run(self.watch.look())
        return self.watch


@pytest.mark.requirement("R-81")
def test_what_a_thing_tried_is_told_with_the_port_it_tried():
    watch = Watch()
    watch.look(frame(HERE, "203.0.113.5"), frame(HERE, "203.0.113.5", (40001, 23)))
    (one,) = watch.desk.of()
    assert (one.outbound, one.who, one.port, one.protocol, one.dropped) == (True, "203.0.113.5", 23, 6, 2)
    assert watch.watch.by_reason == {"refused": 2}


def test_what_a_thing_tried_has_the_name_that_the_attempt_on_the_wire_has():
    watch = Watch()
    watch.names["203.0.113.5"] = ("cloud.acme.example",)
    on_the_wire = flow("203.0.113.5", 23, names=("cloud.acme.example",))
    watch.desk.answer = NO
    watch.desk.history.see(LAMP, replace(on_the_wire, packets_in=0, octets_in=0))
    watch.look(frame(HERE, "203.0.113.5"))
    (one,) = watch.desk.of()
    assert (one.who, one.address, one.dropped) == ("cloud.acme.example", "203.0.113.5", 1)
    assert [asked.names for asked in watch.desk.asked] == [("cloud.acme.example",), ()]


def test_what_others_tried_at_it_is_told_as_theirs():
    watch = Watch()
    watch.look(frame("203.0.113.5", HERE, (50000, 80), macs=(FAR, MAC)), reason="refused_inbound")
    (one,) = watch.desk.of()
    assert (one.outbound, one.who, one.port) == (False, "203.0.113.5", 80)


def test_an_answer_belongs_to_who_asked():
    watch = Watch()
    watch.look(frame(HERE, "203.0.113.5", (80, 50000), flags=18))
    (one,) = watch.desk.of()
    assert (one.outbound, one.port) == (False, 80)


@pytest.mark.parametrize("flags", [1, 4, 16, 17, 24])
def test_the_rest_of_a_conversation_belongs_to_who_began_it(flags):
    watch = Watch()
    watch.look(frame(HERE, "203.0.113.5", (40000, 443), flags=flags))
    watch.look(frame("203.0.113.5", HERE, (443, 40000), flags=flags, macs=(FAR, MAC)))
    (one,) = watch.desk.of()
    assert (one.outbound, one.port, one.dropped) == (True, 443, 2)


def test_between_two_things_it_is_about_both():
    watch = Watch()
    watch.look(frame(HERE, "10.77.0.9"), reason="sideways")
    assert [one.who for one in watch.desk.of()] == [OTHER]
    assert [(one.who, one.outbound) for one in watch.desk.of(OTHER)] == [(HERE, False)]


def test_what_a_thing_sent_from_another_address_is_told_with_it():
    watch = Watch()
    watch.look(frame("10.77.0.78", "203.0.113.5"), reason="stranger")
    (one,) = watch.desk.of()
    assert (one.by, one.who) == ("unbound 10.77.0.78", "203.0.113.5")
    assert "sent from 10.77.0.78, which is not among the addresses" in one.why


@pytest.mark.parametrize("reason", ["spoofed", "refused"])
def test_what_another_rule_dropped_has_that_reason(reason):
    watch = Watch()
    watch.desk.answer = replace(watch.desk.answer, allowed=False, by="nobody")
    watch.look(frame("10.77.0.78", "203.0.113.5"), reason=reason)
    assert watch.desk.of()[0].by == {"refused": "nobody"}.get(reason, reason)


@pytest.mark.parametrize(
    ("reason", "told"), [("sideways", 0), ("stranger", 0), ("barred", 0), ("rogue", 1), ("spoofed", 1)]
)
def test_what_the_link_lives_by_is_told_where_it_claims_something(reason, told):
    icmp = bytes([134, 0, 0, 0]) + bytes(12)
    addresses = ip_address("fe80::2").packed + ip_address("ff02::1").packed
    head = b"\x60\0\0\0" + len(icmp).to_bytes(2, "big") + b"\x3a\xff" + addresses
    watch = Watch()
    watch.look(FAR + MAC + b"\x86\xdd" + head + icmp, reason=reason)
    assert (len(watch.desk.of()), watch.watch.by_reason) == (told, {reason: 1})


def test_between_two_things_who_is_cut_off_is_told_from_who_is_not():
    watch = Watch()
    watch.cut_off = {OTHER}
    watch.look(frame("10.77.0.9", HERE, macs=(FAR[:5] + b"\3", MAC)), reason="barred")
    assert [one.by for one in watch.desk.of()] == [f"elsewhere {OTHER}"]
    assert [one.by for one in watch.desk.of(OTHER)] == ["barred"]


def test_what_strangers_send_to_who_is_cut_off_is_told_as_such():
    watch = Watch()
    watch.cut_off = {LAMP}
    watch.look(frame("203.0.113.5", HERE, macs=(FAR, MAC)), reason="barred")
    assert watch.desk.of()[0].by == "barred"


def test_strangers_are_counted_and_not_kept():
    watch = Watch()
    assert watch.look(frame("10.77.0.77", "203.0.113.5", macs=(FAR, FAR))).strangers == 1
    assert watch.desk.keys() == []


@pytest.mark.parametrize("head", [b"", bytes(13), bytes(12) + b"\x08\x00\x45", bytes(12) + b"\x08\x00" + b"\xff" * 20])
def test_what_cannot_be_read_stops_nothing(head):
    watch = Watch()
    watch.look(head, frame(HERE, "203.0.113.5"))
    assert watch.watch.unread + watch.watch.strangers == 1
    assert len(watch.desk.of()) == 1


def test_where_the_enforcer_is_away_it_is_said():
    watch = Watch()
    watch.rows = None
    with pytest.raises(TransportError):
        asyncio.run(watch.watch.look())
