"""Every frame is read back by the decoder that the product reads others' packets with."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from thingstead.protocols.packet.packet import decode_frame
from thingstead.simulator.lab import frame

ONE, TWO = bytes.fromhex("027700000001"), bytes.fromhex("027700000002")
HERE, THERE = IPv4Address("10.77.1.1"), IPv4Address("192.0.2.53")


def read(data):
    return decode_frame(data, at=0.0)


@pytest.mark.spec("RFC 768")
def test_a_datagram_has_the_addresses_that_it_claims():
    packet = read(frame.udp((HERE, 40_000), (THERE, 53), b"odd", macs=(ONE, TWO)))
    assert (packet.source_mac, packet.destination_mac) == (ONE, TWO)
    assert (packet.source, packet.source_port) == (HERE.packed, 40_000)
    assert (packet.destination, packet.destination_port, packet.payload) == (THERE.packed, 53, b"odd")


@pytest.mark.spec("RFC 1071")
def test_checksums_come_out_even():
    whole = frame.udp((HERE, 1), (THERE, 2), b"odd", macs=(ONE, TWO))
    assert frame._checksum(whole[14:34]) == 0
    pseudo = HERE.packed + THERE.packed + b"\x00\x11" + len(whole[34:]).to_bytes(2)
    assert frame._checksum(pseudo + whole[34:]) == 0


@pytest.mark.spec("RFC 8200 8.1")
def test_icmpv6_covers_its_addresses_too():
    whole = frame.neighbour_advertisement(ONE, claimed=IPv6Address("fd77::1"))
    body = whole[54:]
    pseudo = whole[22:54] + len(body).to_bytes(4) + (58).to_bytes(4)
    assert frame._checksum(pseudo + body) == 0


@pytest.mark.spec("RFC 9293 3.5")
def test_a_syn_asks_for_a_connection_and_no_more():
    packet = read(frame.tcp_syn((HERE, 40_000), (THERE, 23), sequence=7, macs=(ONE, TWO)))
    assert (packet.flags, packet.sequence, packet.destination_port, packet.payload) == (2, 7, 23, b"")


@pytest.mark.spec("RFC 826")
def test_an_answer_by_arp_claims_an_address():
    arp = read(frame.arp_reply(ONE, claimed=IPv4Address("10.77.0.1"), to_mac=TWO, to=HERE)).arp
    assert (arp.operation, arp.sender_mac, arp.sender_ip) == (2, ONE, IPv4Address("10.77.0.1").packed)


@pytest.mark.spec("RFC 4861 6.1.2")
def test_a_router_advertisement_has_come_over_no_router():
    packet = read(frame.router_advertisement(ONE, source=IPv6Address("fe80::1"), prefix=IPv6Address("2001:db8::")))
    assert (packet.icmp, packet.hops) == ((134, 0), 255)


@pytest.mark.spec("RFC 2131 4.3.1")
def test_an_offer_names_its_sender_as_router_and_resolver():
    packet = read(frame.dhcp_offer(ONE, server=HERE, offered=HERE + 1, transaction=9))
    assert (packet.source_port, packet.destination_port) == (67, 68)
    assert packet.payload.count(HERE.packed) == 4


@pytest.mark.spec("RFC 1035 4.1")
def test_a_question_is_answered_under_its_number():
    query = frame.dns_query("cloud.lamp.example", number=0x1234)
    answer = frame.dns_answer(query, THERE)
    assert answer[:2] == query[:2]
    assert answer.endswith(THERE.packed)
    assert frame.dns_answer(query, None)[3] & 15 == 3
