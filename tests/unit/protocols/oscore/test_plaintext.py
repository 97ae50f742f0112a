import pytest

from thingstead.protocols.coap.message import Message, encode_options
from thingstead.protocols.coap.registry import OPTIONS, Code, OptionNumber
from thingstead.protocols.oscore.plaintext import OPTION_CLASSES, compose_request, compose_response, open_plaintext


@pytest.mark.spec("RFC 8613 4.1")
def test_every_option_that_we_know_has_its_class_with_a_source():
    assert set(OPTION_CLASSES) >= set(OPTIONS)
    assert all((row.inner or row.outer) and row.source for row in OPTION_CLASSES.values())


@pytest.mark.spec("RFC 8613 4.1.1")
@pytest.mark.spec("RFC 8613 4.1.2")
@pytest.mark.spec("RFC 8613 4.1")
def test_only_options_of_class_u_alone_stay_outside():
    numbers = [n for n in OPTIONS if n not in (OptionNumber.OSCORE, OptionNumber.PROXY_URI, OptionNumber.OBSERVE)]
    message = Message(Code.GET, options=[(number, b"") for number in sorted([*numbers, 65000])])
    _, outer, code = compose_request(message)
    assert {OptionNumber.URI_HOST, OptionNumber.URI_PORT, OptionNumber.PROXY_SCHEME} <= {n for n, _ in outer}
    assert all(not OPTION_CLASSES[number].inner for number, _ in outer)
    assert code == Code.POST


@pytest.mark.spec("RFC 8613 4.1.3.5.2")
def test_a_notification_is_empty_of_its_observe_value_inside():
    message = Message(Code.CONTENT, options=[(OptionNumber.OBSERVE, b"\x07"), (OptionNumber.MAX_AGE, b"\x01")])
    plaintext, outer, code = compose_response(message)
    assert plaintext.hex() == "45608101"
    assert (outer, code) == ([(OptionNumber.OBSERVE, b"\x07")], Code.CONTENT)


@pytest.mark.spec("RFC 8613 8.4")
@pytest.mark.spec("RFC 8613 8.2")
def test_what_stands_inside_and_outside_is_taken_from_the_inside():
    outside = Message(Code.POST, options=[(OptionNumber.URI_HOST, b"forged"), (OptionNumber.URI_PORT, b"\x16")])
    opened = open_plaintext(outside, bytes.fromhex("013168"))
    assert opened.options == [(OptionNumber.URI_HOST, b"h"), (OptionNumber.URI_PORT, b"\x16")]


@pytest.mark.spec("RFC 8613 4.1.3.3")
@pytest.mark.parametrize(
    ("proxy_uri", "outer", "inner"),
    [
        (b"coap://example.com/resource?q=1", b"coap://example.com", [(11, b"resource"), (12, b""), (15, b"q=1")]),
        (b"coap://[2001:db8::1]:61616/a/b", b"coap://[2001:db8::1]:61616", [(11, b"a"), (11, b"b"), (12, b"")]),
        (b"coap+tcp://example.com", b"coap+tcp://example.com", [(12, b"")]),
    ],
)
def test_a_proxy_uri_shows_a_proxy_no_path(proxy_uri, outer, inner):
    message = Message(Code.POST, options=[(12, b""), (OptionNumber.PROXY_URI, proxy_uri)])
    plaintext, left, _ = compose_request(message)
    assert left == [(OptionNumber.PROXY_URI, outer)]
    assert plaintext == bytes([Code.POST]) + encode_options(inner, b"")
