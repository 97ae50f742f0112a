"""Messages of lightweight authorization: what is taken, and mostly what is not."""

import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.lake_authz import message
from thingstead.protocols.lake_authz.message import VoucherInfo, VoucherRequest

X = bytes(range(32))
H_21 = bytes(range(32, 64))
ID_CRED_I = bytes.fromhex("a1044401020304")
GOOD = [2, X, H_21, ID_CRED_I, False]


@pytest.mark.spec("draft-ietf-lake-authz-07 4.3.1")
def test_voucher_info_is_a_critical_item_of_a_sequence_of_location_and_key():
    item = VoucherInfo("coap://maker.example", X).item()
    assert item.critical
    assert item.number == message.VOUCHER_INFO
    assert item.value == bytes.fromhex("74") + b"coap://maker.example" + bytes.fromhex("5820") + X
    assert message.decode_voucher_info(item.value or b"") == VoucherInfo("coap://maker.example", X)


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["coap://w"],
        [X, "coap://w"],
        ["coap://w", X, X],
        ["", X],
        ["w" * 256, X],
        ["coap://w\n", X],
        [b"coap://w", X],
        [["coap://w", X]],
    ],
)
def test_other_voucher_info_is_refused(values):
    with pytest.raises(DecodeError):
        message.decode_voucher_info(codec.encode_sequence(*values))


@pytest.mark.spec("draft-ietf-lake-authz-07 4.5.1")
def test_a_request_is_an_array_of_five():
    asked = VoucherRequest(cipher_suite(2), X, H_21, ID_CRED_I)
    assert codec.decode(asked.encode()) == GOOD
    assert message.decode_request(asked.encode()) == asked


@pytest.mark.parametrize(
    "changed",
    [
        {0: True},
        {0: "2"},
        {1: X[:-1]},
        {1: X + b"\0"},
        {2: H_21[:-1]},
        {2: H_21 + b"\0"},
        {3: b""},
        {3: bytes(65)},
        {3: {4: b"kid"}},
        {4: 0},
        {4: None},
    ],
)
def test_a_request_that_does_not_fit_its_suite_or_the_grammar_is_refused(changed):
    values = [changed.get(index, value) for index, value in enumerate(GOOD)]
    with pytest.raises(DecodeError):
        message.decode_request(codec.encode(values))


@pytest.mark.parametrize("data", [GOOD[:4], [*GOOD, False], {0: 2}, b"", 2])
def test_a_request_of_another_shape_is_refused(data):
    with pytest.raises(DecodeError):
        message.decode_request(codec.encode(data))


@pytest.mark.parametrize("suite", [25, 7, -21])
def test_a_suite_that_is_unknown_or_has_no_diffie_hellman_is_refused(suite):
    with pytest.raises(UnsupportedError):
        message.decode_request(codec.encode([suite, *GOOD[1:]]))


def test_nothing_behind_a_request_is_overlooked():
    with pytest.raises(DecodeError):
        message.decode_request(codec.encode(GOOD) + b"\0")


@pytest.mark.spec("draft-ietf-lake-authz-07 4.5.2")
def test_a_response_holds_the_voucher():
    assert message.decode_response(codec.encode([b"12345678"])) == b"12345678"


@pytest.mark.parametrize("data", [[], [b""], [b"1", b"2"], ["1"], b"12345678", [bytes(641)], {0: b"1"}])
def test_another_response_is_refused(data):
    with pytest.raises(DecodeError):
        message.decode_response(codec.encode(data))


@pytest.mark.spec("draft-ietf-lake-authz-07 4.6.1")
@pytest.mark.parametrize(("information", "wire"), [(None, "00"), (b"\x2a", "01412a")])
def test_a_refusal_may_carry_something_for_the_thing(information, wire):
    assert message.encode_refusal(information).hex() == wire
    assert message.decode_refusal(bytes.fromhex(wire)) == information


@pytest.mark.parametrize(
    ("wire", "error"),
    [
        ("", DecodeError),
        ("01", DecodeError),
        ("00412a", DecodeError),
        ("f5412a", DecodeError),
        ("f4", DecodeError),
        ("0161", DecodeError),
        ("016161", DecodeError),
        ("02", UnsupportedError),
        ("20412a", UnsupportedError),
        ("01412a00", DecodeError),
    ],
)
def test_another_refusal_is_refused(wire, error):
    with pytest.raises(error):
        message.decode_refusal(bytes.fromhex(wire))
