"""MUD URLs out of packets that somebody overheard."""

import struct

import pytest

from tests.unit.protocols.dhcp.messages import DUID_LL, MAC, URL, option4, option6, relayed6, v4, v6
from tests.unit.protocols.lldp.test_frame import END, HEAD, IANA, tlv
from thingstead.errors import DecodeError, ProtocolError, UntrustedError
from thingstead.protocols.mud.announcement import Announcement, Carrier, announced
from thingstead.protocols.packet.packet import decode_frame

OTHER = bytes.fromhex("027700000099")


def decode(frame):
    return announced(decode_frame(frame, at=0.0))


def ethernet(body, ethertype, source=MAC):
    return b"\xff" * 6 + source + struct.pack("!H", ethertype) + body


def over_ipv4(payload, port=67, source=MAC):
    udp = struct.pack("!HHHH", 68, port, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    return ethernet(ip + udp, 0x0800, source)


def over_ipv6(payload, port=547, source=MAC):
    udp = struct.pack("!HHHH", 546, port, 8 + len(payload), 0) + payload
    ip = struct.pack("!IHBB16s16s", 6 << 28, len(udp), 17, 1, bytes(16), bytes(16))
    return ethernet(ip + udp, 0x86DD, source)


def over_lldp(said, source=MAC):
    return ethernet(HEAD + tlv(127, IANA + b"\1" + said) + END, 0x88CC, source)


@pytest.mark.spec("RFC 8520 10")
def test_dhcpv4_says_where_a_file_is():
    assert decode(over_ipv4(v4(option4(161, URL)))) == Announcement(MAC, URL.decode(), Carrier.DHCPV4)


@pytest.mark.spec("RFC 8520 10")
def test_dhcpv6_says_where_a_file_is_for_who_sends():
    data = v6(option6(1, DUID_LL), option6(112, URL))
    assert decode(over_ipv6(data, source=OTHER)) == Announcement(OTHER, URL.decode(), Carrier.DHCPV6)


@pytest.mark.spec("RFC 8520 12")
def test_lldp_says_where_a_file_is():
    assert decode(over_lldp(URL + b" reserved")) == Announcement(MAC, URL.decode(), Carrier.LLDP)


@pytest.mark.parametrize(
    "frame",
    [over_ipv4(v4()), over_ipv6(v6()), ethernet(HEAD + END, 0x88CC), over_ipv4(b"x", port=53), over_ipv6(b"x", port=53),
     ethernet(bytes(28), 0x1234)],
)  # fmt: skip
def test_who_says_nothing_of_it_announces_nothing(frame):
    assert decode(frame) is None


def test_a_relay_speaks_for_others():
    four = v4(option4(161, URL), relay=b"\x0a\0\0\1")
    six = relayed6(v6(option6(1, DUID_LL), option6(112, URL)))
    found = [decode(over_ipv4(four, source=OTHER)), decode(over_ipv6(six, source=OTHER))]
    assert [one and one.mac for one in found] == [MAC, MAC]


def test_a_relay_that_does_not_say_for_whom_announces_nothing():
    assert decode(over_ipv6(relayed6(v6(option6(112, URL))))) is None


@pytest.mark.spec("RFC 8520 16")
def test_nobody_but_a_relay_speaks_for_another():
    with pytest.raises(UntrustedError, match="was sent by"):
        decode(over_ipv4(v4(option4(161, URL)), source=OTHER))


@pytest.mark.parametrize(
    "frame",
    [b"", bytes(13), over_ipv4(b"x"), over_ipv6(b""), ethernet(b"x", 0x88CC), over_ipv4(v4(operation=2)),
     over_ipv6(v6(kind=2)), over_lldp(b"http://acme.example/"), over_ipv4(v4(option4(161, b"")))],
)  # fmt: skip
def test_what_is_outside_of_a_format_is_refused(frame):
    with pytest.raises(ProtocolError):
        decode(frame)


def test_a_url_that_is_none_is_refused():
    with pytest.raises(DecodeError, match="https"):
        decode(over_ipv6(v6(option6(112, b"file:///etc/shadow"))))
