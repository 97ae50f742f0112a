import pytest

from thingstead.endpoint.negotiation import (
    Formats,
    is_conditional,
    require_condition,
    require_formats,
    settle,
    tag_of,
)
from thingstead.errors import PolicyError, UnsupportedError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, OptionNumber

ACCEPT, FORMAT, ETAG = OptionNumber.ACCEPT, OptionNumber.CONTENT_FORMAT, OptionNumber.ETAG
IF_MATCH, IF_NONE_MATCH = OptionNumber.IF_MATCH, OptionNumber.IF_NONE_MATCH
CBOR, TEXT = 60, 0


def asked(code, *options, payload=b""):
    return Message(code, options=sorted([(int(number), value) for number, value in options]), payload=payload)


def uint(number, value):
    return (number, encode_uint(value))


@pytest.mark.spec("RFC 7252 5.10.3")
@pytest.mark.parametrize(
    ("formats", "options", "reason"),
    [
        (Formats(), [uint(FORMAT, CBOR)], None),
        (Formats((CBOR,)), [uint(FORMAT, CBOR)], None),
        (Formats((CBOR,)), [], None),
        (Formats((CBOR,)), [uint(FORMAT, TEXT)], "content-format"),
        (Formats((CBOR,)), [uint(FORMAT, 65535)], "content-format"),
    ],
)
def test_a_format_that_is_not_taken_is_refused_before_anything_is_done(formats, options, reason):
    request = asked(Code.PUT, *options)
    if reason is None:
        require_formats(request, formats)
        return
    with pytest.raises(PolicyError) as refused:
        require_formats(request, formats)
    assert refused.value.reason == reason


@pytest.mark.spec("RFC 7252 5.10.4")
@pytest.mark.parametrize(
    ("code", "produces", "accepted", "refused"),
    [
        (Code.GET, (), CBOR, False),
        (Code.GET, (CBOR,), CBOR, False),
        (Code.GET, (CBOR,), TEXT, True),
        (Code.POST, (CBOR,), CBOR, False),
        (Code.POST, (CBOR,), TEXT, True),
        (Code.POST, (), CBOR, True),
        (Code.PUT, (), TEXT, True),
        (Code.DELETE, (), TEXT, True),
    ],
)
def test_nothing_is_begun_whose_answer_might_not_be_acceptable(code, produces, accepted, refused):
    request = asked(code, uint(ACCEPT, accepted))
    if not refused:
        require_formats(request, Formats(produces=produces))
        return
    with pytest.raises(PolicyError) as error:
        require_formats(request, Formats(produces=produces))
    assert error.value.reason == "not-acceptable"


def test_only_two_options_make_a_request_conditional():
    assert is_conditional(asked(Code.PUT, (IF_MATCH, b"")))
    assert is_conditional(asked(Code.PUT, (IF_NONE_MATCH, b"")))
    assert not is_conditional(asked(Code.GET, (ETAG, b"x"), uint(ACCEPT, 0)))


@pytest.mark.spec("RFC 7252 5.10.8.1")
@pytest.mark.parametrize(
    ("wanted", "current"), [([b"x"], b"x"), ([b"y", b"x"], b"x"), ([b""], b"x"), ([b""], None), ([b"y", b""], None)]
)
def test_a_condition_that_holds_lets_the_request_through(wanted, current):
    require_condition(asked(Code.PUT, *[(IF_MATCH, tag) for tag in wanted]), current)


@pytest.mark.spec("RFC 7252 5.10.8")
@pytest.mark.parametrize(
    ("options", "current"),
    [
        ([(IF_MATCH, b"y")], b"x"),
        ([(IF_MATCH, b"y"), (IF_MATCH, b"z")], b"x"),
        ([(IF_NONE_MATCH, b"")], b"x"),
        ([(IF_NONE_MATCH, b"")], None),
        ([(IF_MATCH, b"x"), (IF_NONE_MATCH, b"")], b"x"),
    ],
)
def test_a_condition_that_does_not_hold_stops_it(options, current):
    with pytest.raises(PolicyError) as refused:
        require_condition(asked(Code.PUT, *options), current)
    assert refused.value.reason == "precondition"


@pytest.mark.spec("RFC 7252 5.10.8.1")
def test_a_condition_that_cannot_be_checked_is_an_option_not_understood():
    with pytest.raises(UnsupportedError):
        require_condition(asked(Code.PUT, (IF_MATCH, b"x")), None)


@pytest.mark.spec("RFC 7252 5.9.1.3")
def test_what_the_client_still_has_is_confirmed_without_its_body():
    response = asked(Code.CONTENT, uint(FORMAT, CBOR), uint(OptionNumber.MAX_AGE, 5), payload=b"body")
    tag = tag_of(response)
    valid = settle(asked(Code.GET, (ETAG, b"old"), (ETAG, tag)), response)
    assert (valid.code, valid.payload, valid.options) == (
        Code.VALID,
        b"",
        [(int(ETAG), tag), (int(OptionNumber.MAX_AGE), b"\x05")],
    )


@pytest.mark.spec("RFC 7252 5.10.6.2")
def test_what_the_client_has_no_longer_comes_whole_and_with_its_tag():
    response = asked(Code.CONTENT, payload=b"body")
    settled = settle(asked(Code.GET, (ETAG, b"old")), response)
    assert (settled.code, settled.payload, settled.option(ETAG)) == (Code.CONTENT, b"body", tag_of(response))


@pytest.mark.spec("RFC 7252 5.10.6.1")
def test_a_tag_of_the_resource_s_own_counts_for_more_than_one_of_ours():
    response = asked(Code.CONTENT, (ETAG, b"own"), payload=b"body")
    assert settle(asked(Code.GET, (ETAG, b"own")), response).code == Code.VALID


@pytest.mark.spec("RFC 7252 5.10.4")
@pytest.mark.parametrize("options", [[uint(FORMAT, TEXT)], []])
def test_an_answer_that_is_not_acceptable_is_not_given(options):
    with pytest.raises(PolicyError) as refused:
        settle(asked(Code.GET, uint(ACCEPT, CBOR)), asked(Code.CONTENT, *options))
    assert refused.value.reason == "not-acceptable"


@pytest.mark.parametrize("code", [Code.NOT_FOUND, Code.CHANGED, Code.VALID])
def test_another_answer_than_content_is_left_as_it_is(code):
    response = Message(code)
    assert settle(asked(Code.GET, uint(ACCEPT, CBOR), (ETAG, b"x")), response) is response
