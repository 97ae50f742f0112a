"""What the kernel's messages are read as; that it sends them is in test_segment.py."""

import struct
import time

import pytest

from thingstead.enforcement.drop_log import parse_drops
from thingstead.enforcement.netlink import attribute

PACKET = 4 << 8
HEADER = attribute(1, struct.pack("!HBx", 0x0800, 0))
STAMP = attribute(3, struct.pack("!QQ", 1_700_000_000, 250_000))
REASON = attribute(10, b"refused\0")
BODY = attribute(9, b"\x45packet")
FRAME = attribute(16, b"\2" * 6 + b"\4" * 6 + b"\x08\0")


def message(*attributes, kind=PACKET):
    body = bytes(4) + b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body + bytes(-len(body) % 4)


def test_a_packet_is_told_with_time_reason_and_frame():
    (drop,) = parse_drops(message(HEADER, STAMP, REASON, BODY, FRAME))
    assert (drop.at, drop.reason) == (1_700_000_000.25, "refused")
    assert drop.packet_head == b"\2" * 6 + b"\4" * 6 + b"\x08\0" + b"\x45packet"


def test_a_packet_without_link_layer_is_a_frame_of_zeros():
    (drop,) = parse_drops(message(HEADER, STAMP, REASON, BODY))
    assert drop.packet_head == bytes(12) + b"\x08\0" + b"\x45packet"


def test_a_sender_that_is_told_apart_is_in_the_frame():
    sender = attribute(8, struct.pack("!H2x", 6) + b"\4" * 6 + bytes(2))
    (drop,) = parse_drops(message(HEADER, STAMP, REASON, BODY, sender))
    assert drop.packet_head[:14] == bytes(6) + b"\4" * 6 + b"\x08\0"


def test_what_the_kernel_did_not_stamp_is_of_now():
    (drop,) = parse_drops(message(HEADER, REASON, BODY))
    assert abs(drop.at - time.time()) < 60


def test_several_in_one_read_are_told_in_order():
    both = message(HEADER, STAMP, attribute(10, b"a\0"), BODY) + message(HEADER, STAMP, attribute(10, b"b\0"), BODY)
    assert [drop.reason for drop in parse_drops(both)] == ["a", "b"]


@pytest.mark.parametrize(
    "data",
    [b"", bytes(15), message(HEADER, kind=PACKET | 1), message(kind=2), struct.pack("=IHHII", 0, 2, 0, 0, 0)],
    ids=["nothing", "cut", "configuration", "error", "no length"],
)
def test_what_is_no_packet_is_left_out(data):
    assert list(parse_drops(data)) == []


@pytest.mark.parametrize("size", range(1, 40))
def test_a_message_that_is_cut_short_breaks_nothing(size):
    assert len(list(parse_drops(message(HEADER, REASON, BODY)[:-size]))) <= 1
