import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec


@pytest.mark.spec("RFC 8949 4.2.1")
def test_map_keys_are_sorted_by_their_encoded_bytes_not_by_length():
    assert codec.encode({-1: 1, 100: 2, b"x": 3, "a": 4, 1: 5}).hex() == "a501051864022001417803616104"


@pytest.mark.spec("RFC 8949 5.3.1")
@pytest.mark.parametrize(
    "data",
    ["", "0000", "a201020103", "1c", "ff", "5affffffff", "9bffffffffffffff", "62c328", "f818", "81" * 17 + "00"],
    ids=["empty", "trailing", "duplicate key", "reserved", "break", "short", "huge", "utf-8", "simple", "deep"],
)
def test_what_is_not_one_well_formed_item_is_refused(data):
    with pytest.raises(DecodeError):
        codec.decode(bytes.fromhex(data))


@pytest.mark.parametrize("number", [0, 1, 2, 4, 28, 29, 35, 36, 258, 55799])
def test_no_tag_makes_anything_but_a_tag(number):
    assert codec.decode(codec.encode(codec.Tag(number, b"ab"))) == codec.Tag(number, b"ab")


@pytest.mark.spec("RFC 8742 3")
def test_a_sequence_stops_at_its_limit_of_items():
    with pytest.raises(DecodeError, match="at most 256 items"):
        codec.decode_sequence(bytes(257))
    assert codec.decode_sequence(bytes(256)) == [0] * 256


@pytest.mark.spec("RFC 8949 4.2.1")
def test_another_encoding_of_the_same_value_is_not_deterministic():
    with pytest.raises(DecodeError, match="deterministic"):
        codec.decode_deterministic(bytes.fromhex("1801"))
    assert codec.decode_deterministic(bytes.fromhex("01")) == 1


def test_an_input_over_its_limit_is_refused_before_it_is_decoded():
    with pytest.raises(DecodeError, match="at most 4 bytes"):
        codec.decode(bytes(5), limits=codec.Limits(max_bytes=4))
    with pytest.raises(DecodeError, match="at most 4 bytes"):
        codec.decode_sequence(bytes(5), limits=codec.Limits(max_bytes=4))


def test_a_prefix_ends_where_its_item_ends():
    assert codec.decode_prefix(bytes.fromhex("8101ff")) == ([1], 2)
