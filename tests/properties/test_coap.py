"""Whatever the bytes: only a DecodeError comes out, and what is read is written back to the same meaning."""

import random

from hypothesis import given
from hypothesis import strategies as st

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.block import decode_block
from thingstead.protocols.coap.option import recognised
from thingstead.protocols.coap.tcp_connection import Connection, ConnectionConfig
from thingstead.protocols.coap.uri import compose
from thingstead.protocols.coap.uri import parse as parse_uri
from thingstead.protocols.link_format.link import parse, render


@given(st.binary(max_size=80).map(lambda tail: b"\x40\x01\x00\x00" + tail) | st.binary(max_size=80))
def test_a_datagram_decodes_or_is_refused(data):
    try:
        message = coap.decode(data)
    except DecodeError:
        return
    try:
        message.options = recognised(message.options)
        assert message.path.startswith("/")
    except (DecodeError, UnsupportedError):
        return
    try:
        again = coap.encode(message)
    except ValueError:
        return
    assert coap.decode(again) == message


@given(st.binary(max_size=5))
def test_a_block_value_decodes_or_is_refused(data):
    try:
        block = decode_block(data)
    except DecodeError:
        return
    assert decode_block(block.encode()) == block


@given(st.binary(max_size=60) | st.text(alphabet='</>;,="\\ab \n', max_size=60).map(str.encode))
def test_links_parse_or_are_refused(data):
    try:
        links = parse(data)
    except DecodeError:
        return
    assert parse(render(links)) == links


@given(
    st.lists(st.text(max_size=8).filter(lambda segment: segment not in {".", ".."}), max_size=4),
    st.lists(st.text(max_size=8), min_size=1, max_size=3),
    st.integers(1, 65535),
)
def test_a_uri_made_of_options_gives_them_back(segments, arguments, port):
    options = [(11, segment.encode("utf-8", "surrogatepass")) for segment in segments]
    options += [(15, argument.encode("utf-8", "surrogatepass")) for argument in arguments]
    here = ("192.0.2.1", port)
    try:
        text = compose(coap.Message(1, options=options), here)
    except DecodeError:
        return
    again = parse_uri(text).options(here)
    # A URI cannot tell no segment from one that is empty (RFC 7252 section 6.4 step 8).
    assert again == (options[1:] if segments == [""] else options)


@given(st.binary(max_size=200), st.integers(0, 1 << 30))
def test_a_stream_means_the_same_however_it_is_cut(data, seed):
    data = b"\x00\xe1" + data
    whole, cut = Connection(ConnectionConfig(), 0.0), Connection(ConnectionConfig(), 0.0)
    expected = whole.receive(data, 1.0)
    chance = random.Random(seed)
    found = []
    while data:
        size = chance.randrange(1, len(data) + 1)
        found += cut.receive(data[:size], 1.0)
        data = data[size:]
    assert (found, cut.is_over, cut.is_released, cut.peer) == (expected, whole.is_over, whole.is_released, whole.peer)
    assert cut.take_bytes() == whole.take_bytes()
