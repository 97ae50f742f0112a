"""What a frame says of itself, and frames that contradict themselves."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.unit.protocols.packet.frames import OTHER, THING, arp, ethernet, ipv4, ipv6, tcp, udp
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.packet.packet import EtherType, Link, TcpFlag, decode_frame


def _decode(data: bytes, link: int = Link.ETHERNET):
    return decode_frame(data, at=1.5, link=link)


@pytest.mark.spec("RFC 768")
def test_who_speaks_to_whom_over_udp():
    packet = _decode(ethernet(ipv4(udp(b"asked"), 17), 0x0800) + bytes(9))
    assert (packet.source_mac, packet.destination_mac, packet.family) == (THING, OTHER, 4)
    assert (packet.source, packet.destination) == (ip_address("192.0.2.7").packed, ip_address("198.51.100.9").packed)
    assert (packet.source_port, packet.destination_port, packet.payload, packet.hops) == (5683, 53, b"asked", 64)


@pytest.mark.spec("RFC 9293 3.1")
def test_tcp_after_options_of_both_headers():
    packet = _decode(ethernet(ipv4(tcp(b"hello", flags=0x18, words=8), 6, options=bytes(4)), 0x0800))
    assert (packet.source_port, packet.destination_port, packet.payload) == (40000, 443, b"hello")
    assert (packet.flags, packet.sequence) == (TcpFlag.PSH | TcpFlag.ACK, 7)


@pytest.mark.spec("RFC 8200 4")
def test_ipv6_behind_extension_headers():
    hop_by_hop = bytes([17, 0]) + bytes(6)
    packet = _decode(ethernet(ipv6(hop_by_hop + udp(b"x"), 0), 0x86DD))
    assert (packet.family, packet.protocol, packet.destination_port, packet.payload) == (6, 17, 53, b"x")


@pytest.mark.spec("RFC 8200 4.5")
def test_a_later_fragment_has_no_ports():
    packet = _decode(ethernet(ipv6(bytes([17, 0, 0, 0x11]) + bytes(4) + udp(b"x"), 44), 0x86DD))
    assert (packet.is_partial, packet.fragment, packet.source_port, packet.protocol) == (True, 16, None, 17)


@pytest.mark.spec("RFC 791 3.1")
def test_a_first_fragment_of_ipv4_has_ports_and_later_ones_none():
    first = _decode(ethernet(ipv4(udp(b"x", size=60), 17, fragment=0x2000), 0x0800))
    later = _decode(ethernet(ipv4(udp(b"x"), 17, fragment=3), 0x0800))
    assert (first.is_partial, first.destination_port) == (True, 53)
    assert (later.is_partial, later.fragment, later.destination_port) == (True, 24, None)


@pytest.mark.spec("RFC 826")
def test_who_claims_an_address_by_arp():
    packet = _decode(ethernet(arp(2) + bytes(18), 0x0806))
    assert packet.arp is not None
    assert (packet.arp.operation, packet.arp.sender_mac, packet.arp.sender_ip) == (
        2,
        THING,
        ip_address("192.0.2.7").packed,
    )
    assert (packet.family, packet.protocol) == (0, None)


@pytest.mark.spec("RFC 4443 2.1")
def test_icmp_has_type_and_code():
    assert _decode(ethernet(ipv6(bytes([135, 0, 0, 0, 9]), 58), 0x86DD)).icmp == (135, 0)


def test_a_vlan_tag_is_passed_over():
    packet = _decode(ethernet(ipv4(udp(b""), 17), 0x0800, tags=bytes.fromhex("810000078100000a")))
    assert (packet.ethertype, packet.destination_port) == (EtherType.IPV4, 53)


def test_a_frame_with_a_length_carries_no_ethertype():
    packet = _decode(ethernet(b"\x42\x42\x03", 3))
    assert (packet.ethertype, packet.family, packet.payload) == (EtherType.NONE, 0, b"\x42\x42\x03")


@pytest.mark.parametrize(
    ("link", "header"),
    [
        (Link.RAW, b""),
        (Link.IPV4, b""),
        (Link.NULL, b"\x02\0\0\0"),
        (Link.LINUX_SLL, bytes(4) + b"\0\x06" + THING + bytes(2) + b"\x08\0"),
        (Link.LINUX_SLL2, b"\x08\0" + bytes(9) + b"\x06" + THING + bytes(2)),
    ],
)
def test_other_links_carry_the_same_packet(link: Link, header: bytes):
    packet = _decode(header + ipv4(udp(b"x"), 17), link)
    assert (packet.family, packet.destination_port, packet.payload) == (4, 53, b"x")
    assert packet.source_mac == (THING if len(header) > 4 else b"")


def test_what_the_capture_cut_off_stays_unset():
    whole = ethernet(ipv4(tcp(b"hello"), 6), 0x0800)
    cut = decode_frame(whole[: 14 + 20 + 6], at=0.0, length=len(whole))
    assert (cut.source_port, cut.destination_port, cut.flags, cut.payload) == (40000, 443, 0, b"")
    assert cut.length == len(whole)
    assert _decode(ethernet(ipv4(b"\0", 17), 0x0800)).destination_port is None
    assert _decode(ethernet(ipv6(b"\0", 0), 0x86DD)).protocol is None


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        bytes(13),
        ethernet(b"", 0x8100),
        ethernet(b"", 0x0800),
        ethernet(bytes([0x65]) + bytes(19), 0x0800),
        ethernet(bytes([0x44]) + bytes(19), 0x0800),
        ethernet(ipv4(udp(b""), 17, total=19), 0x0800),
        ethernet(ipv4(udp(b"", size=7), 17), 0x0800),
        ethernet(ipv4(tcp(b"", words=4), 6), 0x0800),
        ethernet(bytes(39), 0x86DD),
        ethernet(bytes(40), 0x86DD),
        ethernet(ipv6(bytes(8 * 12), 0), 0x86DD),
        ethernet(bytes(27), 0x0806),
        ethernet(bytes(28), 0x0806),
    ],
)
def test_a_header_that_is_short_or_contradicts_itself_is_refused(frame: bytes):
    with pytest.raises(DecodeError):
        _decode(frame)


@pytest.mark.parametrize(
    ("link", "frame"), [(Link.RAW, b""), (Link.NULL, b"abc"), (Link.LINUX_SLL, bytes(15)), (Link.LINUX_SLL2, bytes(19))]
)
def test_short_headers_of_other_links_are_refused(link: Link, frame: bytes):
    with pytest.raises(DecodeError):
        _decode(frame, link)


@pytest.mark.parametrize("link", [105, 127, 195, 230, 65535])
def test_radio_captures_are_not_read(link: int):
    with pytest.raises(UnsupportedError, match="link-layer"):
        _decode(bytes(64), link)
