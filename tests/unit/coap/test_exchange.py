from typing import Any

import pytest

from thingstead.coap.exchange import Response, request_options, response_of
from thingstead.endpoint.event import AssociationId, ExchangeId, ResponseReceived
from thingstead.errors import PeerFaultError, RequestRefusedError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber

HERE = ("192.0.2.1", 5683)


def response(code=Code.CONTENT, payload=b"", *options, content_format=None):
    return Response(code, payload, content_format, options, HERE, is_protected=False)


@pytest.mark.parametrize(
    ("said", "options"),
    [
        ({}, []),
        ({"confirmable": False, "timeout": 3.0}, []),
        ({"accept": 0, "content_format": 60}, [(12, b"<"), (17, b"")]),
        ({"if_match": [b"b", b"a"]}, [(1, b"b"), (1, b"a")]),
        ({"if_none_match": True, "etag": [b"t"]}, [(4, b"t"), (5, b"")]),
        ({"if_none_match": False}, []),
        ({"accept": 40, "options": [(258, b"\x1a"), (15, b"q")]}, [(15, b"q"), (17, b"("), (258, b"\x1a")]),
    ],
)
def test_what_is_said_stands_in_the_order_of_numbers(said, options):
    assert request_options(said) == options


@pytest.mark.parametrize("association", [None, AssociationId("a")])
def test_a_response_says_whether_it_was_protected(association):
    message = Message(Code.CONTENT, options=[(OptionNumber.ETAG, b"t"), (OptionNumber.CONTENT_FORMAT, b"<")])
    told = response_of(ResponseReceived(ExchangeId(1), message, HERE, association, None, is_last=True))
    assert (told.etag, told.content_format, told.is_protected) == (b"t", 60, association is not None)


def test_a_response_without_entity_tag_or_format_has_none():
    told = response_of(ResponseReceived(ExchangeId(1), Message(Code.VALID), HERE, None, None, is_last=True))
    assert (told.etag, told.content_format) == (None, None)


def test_what_is_no_error_is_a_success():
    assert response(Code.VALID).require_success().code == Code.VALID


@pytest.mark.spec("RFC 7252 5.5.2")
@pytest.mark.parametrize(
    ("told", "error", "says"),
    [
        (response(Code.NOT_FOUND), RequestRefusedError, "4.04 Not Found"),
        (response(Code.NOT_FOUND, b"no lamp"), RequestRefusedError, "4.04 Not Found: no lamp"),
        (response(Code.BAD_REQUEST, b"\xa0", content_format=257), RequestRefusedError, "4.00 Bad Request"),
        (response(Code.BAD_GATEWAY, b"\xff" * 999), PeerFaultError, "5.02 Bad Gateway: " + "\ufffd" * 200),
    ],
)
def test_an_error_says_what_the_peer_said_and_no_more_than_is_readable(told, error, says):
    with pytest.raises(error) as refused:
        told.require_success()
    assert str(refused.value).endswith(says)


def test_a_condition_that_is_misspelt_is_not_left_out():
    said: Any = {"if_none_macth": True}
    with pytest.raises(TypeError, match="if_none_macth"):
        request_options(said)
