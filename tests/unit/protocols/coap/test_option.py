import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.coap.option import (
    UnrecognisedOptionError,
    decode_uint,
    encode_uint,
    is_critical,
    is_no_cache_key,
    is_unsafe,
    recognised,
    recognised_in_response,
)
from thingstead.protocols.coap.registry import OptionNumber


@pytest.mark.spec("RFC 7252 5.4.6")
@pytest.mark.parametrize(
    ("number", "properties"),
    [
        (OptionNumber.IF_MATCH, (True, False, False)),
        (OptionNumber.URI_HOST, (True, True, False)),
        (OptionNumber.ETAG, (False, False, False)),
        (OptionNumber.OBSERVE, (False, True, False)),
        (OptionNumber.OSCORE, (True, False, False)),
        (OptionNumber.HOP_LIMIT, (False, False, False)),
        (OptionNumber.BLOCK1, (True, True, False)),
        (OptionNumber.SIZE1, (False, False, True)),
        (OptionNumber.SIZE2, (False, False, True)),
        (OptionNumber.ECHO, (False, False, True)),
        (OptionNumber.NO_RESPONSE, (False, True, False)),
        (OptionNumber.REQUEST_TAG, (False, False, False)),
    ],
)
def test_the_number_says_critical_unsafe_and_no_cache_key(number, properties):
    assert (is_critical(number), is_unsafe(number), is_no_cache_key(number)) == properties


@pytest.mark.spec("RFC 7252 5.4.1")
@pytest.mark.parametrize(
    "options",
    [
        [(13, b"")],
        [(65001, b"")],
        [(OptionNumber.URI_HOST, b"")],
        [(OptionNumber.IF_NONE_MATCH, b"x")],
        [(OptionNumber.BLOCK1, bytes(4))],
        [(OptionNumber.ACCEPT, b""), (OptionNumber.ACCEPT, b"")],
        [(OptionNumber.OBSERVE, bytes(4)), (OptionNumber.ACCEPT, bytes(3))],
    ],
    ids=["uri-path-abbrev", "unknown", "too short", "not empty", "too long", "repeated", "behind an elective one"],
)
def test_a_critical_option_that_is_not_recognised_is_refused(options):
    with pytest.raises(UnsupportedError):
        recognised(options)


@pytest.mark.spec("RFC 7252 5.4.3")
@pytest.mark.parametrize(
    "malformed",
    [
        (OptionNumber.OBSERVE, bytes(4)),
        (OptionNumber.CONTENT_FORMAT, bytes(3)),
        (OptionNumber.MAX_AGE, bytes(5)),
        (OptionNumber.ECHO, b""),
        (OptionNumber.ECHO, bytes(41)),
        (OptionNumber.NO_RESPONSE, bytes(2)),
    ],
)
def test_an_elective_option_of_a_wrong_length_counts_for_nothing(malformed):
    assert recognised(sorted([(11, b"a"), malformed])) == [(11, b"a")]


@pytest.mark.spec("RFC 7252 5.4.5")
def test_a_repetition_of_an_elective_option_counts_for_nothing():
    assert recognised([(11, b"a"), (11, b"b"), (14, b"\x01"), (14, b"\x02")]) == [(11, b"a"), (11, b"b"), (14, b"\x01")]


def test_an_unknown_elective_option_is_left_to_its_reader():
    options = [(4, b"t"), (11, b"a"), (65000, b""), (65000, b"")]
    assert recognised(options) is options


@pytest.mark.spec("RFC 7252 3.2")
@pytest.mark.parametrize(("number", "value"), [(0, b""), (1, b"\x01"), (256, b"\x01\x00"), (0xFFFFFFFF, b"\xff" * 4)])
def test_a_uint_has_no_leading_zeros_but_is_read_with_them(number, value):
    assert encode_uint(number) == value
    assert decode_uint(value) == decode_uint(value.rjust(4, b"\x00")) == number


def test_a_uint_of_more_than_4_bytes_is_refused():
    with pytest.raises(DecodeError):
        decode_uint(bytes(5))


@pytest.mark.spec("RFC 7252 5.4")
@pytest.mark.parametrize(
    ("number", "value"),
    [
        (OptionNumber.IF_MATCH, b""),
        (OptionNumber.URI_HOST, b"h"),
        (OptionNumber.IF_NONE_MATCH, b""),
        (OptionNumber.URI_PORT, b""),
        (OptionNumber.URI_PATH, b"a"),
        (OptionNumber.URI_QUERY, b"q"),
        (OptionNumber.ACCEPT, b""),
        (OptionNumber.PROXY_URI, b"coap://h"),
        (OptionNumber.PROXY_SCHEME, b"coap"),
        (OptionNumber.EDHOC, b""),
    ],
)
def test_a_critical_option_of_requests_is_not_recognised_in_a_response(number, value):
    with pytest.raises(UnrecognisedOptionError) as refused:
        recognised_in_response(sorted([(4, b"t"), (number, value)]))
    assert refused.value.number == number


@pytest.mark.spec("RFC 7252 5.4")
@pytest.mark.spec("RFC 9175 3.4")
@pytest.mark.parametrize("number", [OptionNumber.HOP_LIMIT, OptionNumber.NO_RESPONSE, OptionNumber.REQUEST_TAG])
def test_an_elective_option_of_requests_counts_for_nothing_in_a_response(number):
    assert recognised_in_response([(4, b"t"), (number, b"\x01")]) == [(4, b"t")]


def test_what_responses_may_have_is_left_as_it_is():
    options = [(4, b"t"), (6, b"\x01"), (8, b"l"), (9, b""), (12, b""), (14, b""), (23, b""), (27, b""), (252, b"e")]
    assert recognised_in_response(options) == options
