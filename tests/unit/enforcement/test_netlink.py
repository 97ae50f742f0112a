import pytest

from thingstead.enforcement.netlink import Message, NetlinkError, attribute, in_batches, nested, parse_attributes


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


@pytest.mark.parametrize(("size", "batches"), [(10, [9]), (50_000, [3, 3, 3]), (150_000, [1] * 9)])
def test_many_changes_travel_in_few_transactions_and_none_is_torn(size, batches):
    parts = [[Message(1, 0, 1, bytes(size))] for _ in range(9)]
    assert [len(batch) for batch in in_batches(parts)] == batches


def test_no_change_is_no_transaction():
    assert list(in_batches([])) == []
