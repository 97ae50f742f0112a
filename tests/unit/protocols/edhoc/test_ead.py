import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.ead import EadItem, decode_ead, encode_ead, padding, require_understood

pytestmark = pytest.mark.spec("RFC 9528 3.8")


def test_items_survive_the_wire():
    items = (EadItem(15, b"credential"), EadItem(-5), EadItem(7), EadItem(-12, b""))
    assert decode_ead(codec.decode_sequence(encode_ead(items)), max_items=8) == items
    assert [item.critical for item in items] == [False, True, False, True]
    assert [item.number for item in items] == [15, 5, 7, 12]


def test_no_items_are_no_bytes():
    assert encode_ead(()) == b""
    assert decode_ead([], max_items=8) == ()


@pytest.mark.spec("RFC 9528 3.8.1")
@pytest.mark.parametrize("padding", ["00", "0040", "0041e9", "0041e900"])
def test_padding_is_left_out(padding):
    values = codec.decode_sequence(bytes.fromhex(padding) + encode_ead([EadItem(15, b"x")]))
    assert decode_ead(values, max_items=8) == (EadItem(15, b"x"),)


@pytest.mark.spec("RFC 9528 3.8.1")
@pytest.mark.parametrize("size", [1, 2, 3, 24, 25, 26, 27, 28, 257, 258, 259, 260, 1000])
def test_padding_has_the_size_that_was_asked_for_and_no_other_effect(size):
    encoded = encode_ead([*padding(size), EadItem(15, b"x")])
    assert len(encoded) == size + len(encode_ead([EadItem(15, b"x")]))
    assert decode_ead(codec.decode_sequence(encoded), max_items=3) == (EadItem(15, b"x"),)
    with pytest.raises(ValueError, match="at least"):
        padding(1 - size)


@pytest.mark.parametrize("values", [[b"value first"], [1, b"a", b"b"], [True], ["text"], [1.5], [[1]], [None], [{}]])
def test_anything_but_labels_and_values_is_refused(values):
    with pytest.raises(DecodeError):
        decode_ead(values, max_items=8)


def test_too_many_items_are_refused_padding_counted():
    with pytest.raises(DecodeError):
        decode_ead([0] * 9, max_items=8)


def test_critical_item_that_is_not_understood_is_refused():
    with pytest.raises(UnsupportedError):
        require_understood([EadItem(-15, b"")], {3: frozenset({5}), 4: frozenset({15})}, message=3)


def test_understood_and_ignorable_items_pass():
    require_understood([EadItem(-15, b""), EadItem(160, b"grease")], {3: frozenset({15})}, message=3)
