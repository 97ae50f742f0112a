import pytest

from thingstead.errors import AuthenticationError, DecodeError, ExpiredError, UnsupportedError, consequence
from thingstead.protocols.edhoc.error import (
    ErrorCode,
    ErrorMessage,
    PeerError,
    UnknownCredentialError,
    WrongSuiteError,
    answer,
    decode_error,
    encode_error,
)

pytestmark = pytest.mark.spec("RFC 9528 6")


@pytest.mark.parametrize(
    ("error", "wire"),
    [
        (ErrorMessage(ErrorCode.UNSPECIFIED, text="refused"), "016772656675736564"),
        (ErrorMessage(ErrorCode.WRONG_SUITE, suites=(2,)), "0202"),
        (ErrorMessage(ErrorCode.WRONG_SUITE, suites=(2, 3)), "02820203"),
        (ErrorMessage(ErrorCode.UNKNOWN_CREDENTIAL), "03f5"),
    ],
)
def test_error_messages_survive_the_wire(error, wire):
    assert encode_error(error).hex() == wire
    assert decode_error(bytes.fromhex(wire)) == error


@pytest.mark.parametrize("code", [0, 4, -1])
def test_other_codes_are_read_with_any_information(code):
    assert decode_error(error_bytes(code)).code == code


def error_bytes(code):
    return bytes([code if code >= 0 else 0x20 - code - 1]) + b"\xa1\x01\x02"


@pytest.mark.parametrize(
    "wire",
    [
        "",
        "01",
        "0101",
        "0141ff",
        "02f5",
        "0281f5",
        "028102",
        "0280",
        "0302",
        "03f4",
        "f501",
        "6101",
        "010203",
        "01616161",
    ],
)
def test_malformed_error_messages_are_refused(wire):
    with pytest.raises(DecodeError):
        decode_error(bytes.fromhex(wire))


def test_long_error_message_is_refused():
    with pytest.raises(DecodeError):
        decode_error(b"\x01\x79\x02\x00" + b"a" * 512)


@pytest.mark.parametrize("error", [ErrorMessage(0), ErrorMessage(ErrorCode.WRONG_SUITE)])
def test_what_may_not_be_sent_is_not_encoded(error):
    with pytest.raises(ValueError, match="RFC 9528"):
        encode_error(error)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (WrongSuiteError("", suites=(2, 3)), ErrorMessage(2, suites=(2, 3))),
        (UnknownCredentialError(""), ErrorMessage(3)),
        (DecodeError("offset 7"), ErrorMessage(1, text="malformed")),
        (UnsupportedError("method 9"), ErrorMessage(1, text="not supported")),
    ],
)
def test_each_error_finds_its_answer(error, message):
    assert answer(error) == encode_error(message)


def test_refusals_of_a_peer_are_told_apart_by_nobody():
    assert answer(AuthenticationError("MAC_3 does not verify")) == answer(ExpiredError("voucher of serial 1234"))


def test_error_message_is_not_answered():
    error = PeerError(ErrorMessage(1, text="no"))
    assert answer(error) is None
    assert consequence(error).exit_code == 10
