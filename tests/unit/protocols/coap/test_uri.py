import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.uri import CoapUri, compose, location, parse

HERE = ("2001:db8::2:1", 5683)
HOST, PORT, PATH, QUERY = OptionNumber.URI_HOST, OptionNumber.URI_PORT, OptionNumber.URI_PATH, OptionNumber.URI_QUERY


@pytest.mark.spec("RFC 7252 6.3")
@pytest.mark.parametrize(
    "text",
    [
        "coap://example.com:5683/~sensors/temp.xml",
        "coap://EXAMPLE.com/%7Esensors/temp.xml",
        "coap://EXAMPLE.com:/%7esensors/temp.xml",
    ],
)
def test_equivalent_uris_are_one(text):
    assert parse(text) == CoapUri("coap", "example.com", 5683, ("~sensors", "temp.xml"))


# The examples of RFC 7252 appendix B, and what its steps say of edges.
DECOMPOSED = [
    ("coap://[2001:db8::2:1]/", HERE, []),
    ("coap://example.net/", HERE, [(HOST, b"example.net")]),
    (
        "coap://example.net/.well-known/core",
        HERE,
        [(HOST, b"example.net"), (PATH, b".well-known"), (PATH, b"core")],
    ),
    (
        "coap://xn--18j4d.example/%E3%81%93%E3%82%93%E3%81%AB%E3%81%A1%E3%81%AF",
        HERE,
        [(HOST, b"xn--18j4d.example"), (PATH, bytes.fromhex("e38193e38293e381abe381a1e381af"))],
    ),
    (
        "coap://198.51.100.1:61616//%2F//?%2F%2F&?%26",
        ("198.51.100.1", 61616),
        [(PATH, b""), (PATH, b"/"), (PATH, b""), (PATH, b""), (QUERY, b"//"), (QUERY, b"?&")],
    ),
    ("coap://198.51.100.1", ("198.51.100.1", 5683), []),
    ("coap://198.51.100.1?", ("198.51.100.1", 5683), [(QUERY, b"")]),
    ("coap://198.51.100.1:7/a", ("198.51.100.1", 5683), [(PORT, b"\x07"), (PATH, b"a")]),
    ("coap+tcp://198.51.100.1/a/./b/../c", ("198.51.100.1", 5683), [(PATH, b"a"), (PATH, b"c")]),
    ("coap://198.51.100.1/a/%2e%2E/b/..", ("198.51.100.1", 5683), []),
    ("coaps://198.51.100.1/a/.", ("198.51.100.1", 5684), [(PATH, b"a"), (PATH, b"")]),
]


@pytest.mark.spec("RFC 7252 6.4")
@pytest.mark.parametrize(("text", "destination", "options"), DECOMPOSED)
def test_a_uri_becomes_the_options_of_the_standard(text, destination, options):
    assert parse(text).options(destination) == options


@pytest.mark.spec("RFC 7252 6.1")
@pytest.mark.spec("RFC 7252 6.4")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "/a",
        "//host/a",
        "coap:host",
        "coap://",
        "coap:///a",
        "coap://:5683/a",
        "coap://host#part",
        "coap://user@host/",
        "coap://host:0/",
        "coap://host:65536/",
        "coap://host:5x/",
        "coap://[2001:db8::g]/",
        "coap://[1:2]/",
        "coap://[::1/",
        "coap://host/%",
        "coap://host/%4",
        "coap://host/%zz",
        "coap://host/%ff",
        "coap://host/?%ff",
        "coap://%ff/",
        "coap://host/a b",
        "coap://host/ä",
        "coap://host/\n",
    ],
)
def test_what_is_no_coap_uri_is_refused(text):
    with pytest.raises(DecodeError):
        parse(text)


@pytest.mark.parametrize("text", ["http://host/", "coap+ws://host/", "file://host/etc"])
def test_another_scheme_is_refused(text):
    with pytest.raises(UnsupportedError):
        parse(text)


@pytest.mark.parametrize("text", ["coap://host/" + "a" * 256, "coap://host/?" + "a" * 256, "coap://" + "a" * 256])
def test_a_part_that_no_option_holds_is_our_own_mistake(text):
    with pytest.raises(ValueError, match="255"):
        parse(text).options(HERE)


@pytest.mark.spec("RFC 7252 6.5")
@pytest.mark.parametrize(
    ("options", "destination", "text"),
    [
        ([], HERE, "coap://[2001:db8::2:1]/"),
        ([(HOST, b"Example.NET")], HERE, "coap://example.net/"),
        ([(PORT, b"\x07"), (PATH, b"a")], HERE, "coap://[2001:db8::2:1]:7/a"),
        (DECOMPOSED[3][2], HERE, DECOMPOSED[3][0]),
        (DECOMPOSED[4][2], DECOMPOSED[4][1], "coap://198.51.100.1:61616//%2F//?//&?%26"),
        ([(PATH, b""), (PATH, b"a")], HERE, "coap://[2001:db8::2:1]//a"),
        ([(PATH, b"a b%")], ("h", 5683), "coap://h/a%20b%25"),
    ],
)
def test_options_become_the_uri_of_the_standard(options, destination, text):
    assert compose(Message(Code.GET, options=options), destination) == text


@pytest.mark.parametrize("options", [[(HOST, b"\xff")], [(PORT, b"")], [(PATH, b"\xff")], [(QUERY, b"\xff")]])
def test_options_of_which_no_uri_can_be_made_are_refused(options):
    with pytest.raises(DecodeError):
        compose(Message(Code.GET, options=options), HERE)


@pytest.mark.spec("RFC 7252 5.10.7")
def test_a_location_is_a_relative_reference():
    options = [(int(OptionNumber.LOCATION_PATH), b"a/b"), (int(OptionNumber.LOCATION_QUERY), b"x=1")]
    assert location(Message(Code.CREATED, options=options)) == "/a%2Fb?x=1"
    assert location(Message(Code.CREATED)) is None


@pytest.mark.spec("RFC 7252 5.10.7")
@pytest.mark.parametrize("segment", [b".", b"..", b"\xff"])
def test_a_location_with_a_segment_that_none_may_have_is_refused(segment):
    with pytest.raises(DecodeError):
        location(Message(Code.CREATED, options=[(OptionNumber.LOCATION_PATH, segment)]))


@pytest.mark.spec("RFC 7252 5.10.1")
@pytest.mark.parametrize("segment", [b".", b".."])
def test_a_path_with_a_segment_that_a_uri_would_lose_is_refused(segment):
    message = Message(Code.GET, options=[(OptionNumber.URI_PATH, b"a"), (OptionNumber.URI_PATH, segment)])
    with pytest.raises(DecodeError, match="dot segment"):
        compose(message, ("192.0.2.1", 5683))
