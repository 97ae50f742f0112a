"""Whatever the bytes: only a DecodeError comes out, and what is read is written back to the same meaning."""

from hypothesis import given
from hypothesis import strategies as st

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.block import decode_block
from thingstead.protocols.coap.option import recognised
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
