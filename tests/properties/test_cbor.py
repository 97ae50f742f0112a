"""Invariant: what is taken as deterministic is what the encoder would write of the same value, and nothing else."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

_KEYS = st.integers(-300, 300) | st.text(max_size=2) | st.binary(max_size=2)
_PLAIN = (
    st.integers(-(1 << 64), (1 << 64) - 1)
    | st.binary(max_size=30)
    | st.text(max_size=4)
    | st.floats()
    | st.sampled_from([True, False, None, codec.undefined, codec.SimpleValue(99)])
)
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_KEYS, inner, max_size=4)
        | st.builds(codec.Tag, st.integers(50, 300), inner)
    ),
    max_leaves=8,
)


def _is_what_we_write(data):
    try:
        return codec.encode(codec.decode(data)) == data
    except DecodeError:
        return False


def _is_taken(data):
    try:
        codec.decode_deterministic(data)
    except DecodeError:
        return False
    return True


@pytest.mark.spec("RFC 8949 4.2.1")
@given(_VALUES)
def test_keys_in_any_order_are_taken_in_one(value):
    """A plain encoder leaves keys as they come and floats long."""
    data = cbor2.dumps(value)
    assert _is_taken(data) == _is_what_we_write(data)
    assert _is_taken(codec.encode(value))


@pytest.mark.spec("RFC 8949 4.2.1")
@given(_VALUES, st.integers(0, 80), st.integers(0, 255))
def test_a_changed_byte_is_taken_only_where_the_encoder_would_write_it(value, place, byte):
    data = bytearray(codec.encode(value))
    data[place % len(data)] = byte
    assert _is_taken(bytes(data)) == _is_what_we_write(bytes(data))


@pytest.mark.spec("RFC 8949 4.2.1")
@pytest.mark.parametrize("longer", ["1817", "190017", "5801ff", "7f6161ff", "5f4101ff", "9f01ff", "bf0102ff"])
def test_a_longer_head_is_refused_wherever_it_stands(longer):
    for data in (longer, "81" + longer, "a101" + longer, "a101a102" + longer, "d832" + longer):
        assert not _is_taken(bytes.fromhex(data))


@pytest.mark.spec("RFC 8949 4.2.1")
@pytest.mark.parametrize("unsorted", ["a202000100", "a220000100", "a2616200616100", "a24101000100", "a221002000"])
def test_keys_out_of_order_are_refused_wherever_they_stand(unsorted):
    for data in (unsorted, "81" + unsorted, "a101" + unsorted, "d832" + unsorted):
        assert not _is_taken(bytes.fromhex(data))
