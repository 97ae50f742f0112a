import pytest

from thingstead.enforcement.netlink import Message, NetlinkError, attribute, nested, parse_attributes
from thingstead.enforcement.table import Element, Table, packet_counts


def test_attributes_are_padded_and_read_back():
    data = attribute(1, b"abc") + nested(3, attribute(2, b"\0" * 4))
    assert len(data) % 4 == 0
    first, second = parse_attributes(data)
    assert first == (1, b"abc")
    assert dict(parse_attributes(second[1])) == {2: b"\0" * 4}


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"\0\0\0\0", b"\x03\0\1\0"])
def test_a_broken_attribute_ends_the_list(data):
    assert list(parse_attributes(data)) == []


def test_a_message_carries_its_length_and_family():
    data = Message(0x0A0C, 0x400, 1, b"body").encode(7)
    assert int.from_bytes(data[:4], "little") == len(data) == 24
    assert data[16:] == b"\x01\0\0\0body"


def test_a_refusal_names_the_part_and_the_kernels_reason():
    error = NetlinkError(17, "part 2 of 3 of a transaction")
    assert (error.number, error.reason) == (17, "kernel")
    assert str(error) == "the kernel refused part 2 of 3 of a transaction: File exists"


def test_elements_are_sent_in_messages_of_bounded_size():
    elements = [Element("out4", number.to_bytes(16, "big")) for number in range(1000)]
    messages = Table("t").add(elements)
    assert len(messages) == 3
    assert all(len(message.body) < 60_000 for message in messages)


def test_counters_are_read_from_the_elements_of_an_answer():
    counter = nested(7, attribute(1, b"counter\0"), nested(2, attribute(1, bytes(8)), attribute(2, (5).to_bytes(8))))
    counted = nested(1, nested(1, attribute(1, b"key1")), counter)
    plain = nested(1, nested(1, attribute(1, b"key2")))
    answer = attribute(1, b"t\0") + nested(3, counted, plain)
    assert dict(packet_counts([answer])) == {b"key1": 5, b"key2": 0}
