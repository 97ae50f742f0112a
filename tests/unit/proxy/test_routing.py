from dataclasses import replace

import pytest

from tests.unit.proxy.ladder import LAMP, LEGACY, ORIGINS, TODAY
from thingstead.errors import DecodeError
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.proxy.routing import HopLimitError, NoRouteError, Routes

HOST, PORT = OptionNumber.URI_HOST, OptionNumber.URI_PORT
SCHEME, URI = OptionNumber.PROXY_SCHEME, OptionNumber.PROXY_URI
OSCORE = (int(OptionNumber.OSCORE), b"\x09\x00\x01")
COAP = (int(SCHEME), b"coap")


def route(*options, routes=None):
    asked = request(Code.POST, "/s").with_options(OSCORE, *options)
    return (routes or Routes(ORIGINS, hop_limit=16)).route(asked, TODAY)


def given(route):
    return [option for option in route.request.options if option[0] not in {OptionNumber.OSCORE}]


@pytest.mark.spec("RFC 7252 5.7.2")
@pytest.mark.parametrize(
    ("options", "address"),
    [
        ([(HOST, b"lamp.example"), COAP], LAMP),
        ([(HOST, b"LAMP.example"), (PORT, encode_uint(5683)), COAP], LAMP),
        ([(HOST, b"198.51.100.2"), COAP], LEGACY),
        ([(HOST, b"lamp.example")], LAMP),
        ([], LAMP),
    ],
)
def test_who_is_asked(options, address):
    assert route(*options).address == address


@pytest.mark.spec("RFC 7252 5.10.2")
def test_a_proxy_uri_comes_before_what_stands_beside_it():
    found = route((URI, b"coap://lamp.example/real?q=1"), (HOST, b"legacy.example"))
    assert found.address == LAMP
    assert given(found) == [
        (HOST, b"lamp.example"),
        (OptionNumber.URI_PATH, b"real"),
        (OptionNumber.URI_QUERY, b"q=1"),
        (OptionNumber.HOP_LIMIT, b"\x10"),
    ]


@pytest.mark.spec("RFC 7252 5.7.3")
def test_a_port_that_is_ours_is_not_told_to_an_origin_that_we_stand_for():
    assert given(route((PORT, encode_uint(5690)))) == given(route())
    assert (HOST, b"lamp.example") in given(route((HOST, b"lamp.example"), (PORT, encode_uint(5690))))


@pytest.mark.spec("RFC 7252 6.4")
@pytest.mark.parametrize("rest", [b"/" + b"a" * 256, b"/?" + b"a" * 256], ids=["segment", "argument"])
def test_a_proxy_uri_that_options_cannot_say_is_a_bad_request(rest):
    with pytest.raises(DecodeError, match="at most 255 bytes"):
        route((URI, b"coap://lamp.example" + rest))


@pytest.mark.parametrize(
    "options",
    [
        [(HOST, b"nowhere.example"), COAP],
        [(HOST, b"lamp.example"), (PORT, encode_uint(5684)), COAP],
        [(HOST, b"lamp.example"), (SCHEME, b"coaps")],
        [(HOST, b"lamp.example"), (SCHEME, b"http")],
        [(HOST, b"lamp.example"), (SCHEME, b"COAP\x00")],
        [(HOST, b"legacy.example")],
        [(HOST, b"\xff\xfe")],
        [COAP],
        [(URI, b"coap://lamp.example:1/")],
        [(URI, b"coap://lamp.example.evil/")],
        [(URI, b"coap+tcp://lamp.example/")],
    ],
)
def test_there_is_no_way_to_anything_else(options):
    with pytest.raises(NoRouteError):
        route(*options)


@pytest.mark.parametrize("uri", [b"\xff", b"coap://", b"/s", b"coap://u@lamp.example/", b"coap://lamp.example/#x"])
def test_a_uri_that_is_none_is_refused_as_malformed(uri):
    with pytest.raises(DecodeError):
        route((URI, uri))


@pytest.mark.spec("RFC 8768 3")
@pytest.mark.parametrize(
    ("limit", "error"), [(b"", DecodeError), (b"\0", DecodeError), (b"\x01\0", DecodeError), (b"\1", HopLimitError)]
)
def test_the_last_hop_is_the_last_and_none_is_no_number_of_hops(limit, error):
    with pytest.raises(error):
        route((OptionNumber.HOP_LIMIT, limit))


def test_without_a_name_there_must_be_one_reverse_origin_alone():
    both = Routes(tuple(replace(origin, reverse=True) for origin in ORIGINS), hop_limit=16)
    with pytest.raises(NoRouteError):
        route(routes=both)
    with pytest.raises(NoRouteError):
        Routes((), hop_limit=16).route(Message(Code.GET), TODAY)
