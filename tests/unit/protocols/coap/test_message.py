import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.message import Message, MessageType
from thingstead.protocols.coap.registry import Code, OptionNumber


@pytest.mark.spec("RFC 7252 Appendix A")
def test_the_example_of_the_standard_is_read_and_written():
    data = bytes.fromhex("40017d34bb74656d7065726174757265")
    read = coap.decode(data)
    assert (read.type, read.code, read.mid, read.path) == (MessageType.CON, Code.GET, 0x7D34, "/temperature")
    assert coap.encode(read) == data


@pytest.mark.spec("RFC 7252 3.1")
@pytest.mark.spec("RFC 7252 3")
@pytest.mark.parametrize(
    "data",
    [
        "",
        "400100",
        "80010000",
        "4c010000" + "00" * 11,
        "4d010000",
        "4e01000000",
        "4f010000" + "00" * 15,
        "41010000",
        "4000000000",
        "40010000ff",
        "40010000f0",
        "400100000f",
        "40010000d0",
        "40010000e000",
        "4001000001",
        "40010000e0ffff" + "e0ffff",
        "40010000" + "00" * 65,
    ],
    ids=[
        "empty",
        "short",
        "version",
        "token 12 cut",
        "token 13 cut",
        "token 14 cut",
        "token 15",
        "token cut",
        "long empty",
        "marker",
        "delta 15",
        "length 15",
        "delta cut",
        "delta cut 2",
        "value cut",
        "number",
        "options",
    ],
)
def test_a_malformed_datagram_is_refused(data):
    with pytest.raises(DecodeError):
        coap.decode(bytes.fromhex(data))


@pytest.mark.spec("RFC 8974 2.1")
@pytest.mark.parametrize(
    ("size", "head"), [(8, "48010000"), (9, "49010000"), (12, "4c010000"), (13, "4d01000000"), (269, "4e0100000000")]
)
def test_a_token_of_any_length_is_read_as_written(size, head):
    message = Message(Code.GET, token=bytes(range(256))[:size].ljust(size, b"t"), payload=b"p")
    data = coap.encode(message)
    assert data.startswith(bytes.fromhex(head))
    assert coap.decode(data) == message


def test_a_datagram_over_the_limit_is_refused():
    with pytest.raises(DecodeError):
        coap.decode(bytes.fromhex("40010000ff") + bytes(1500))


@pytest.mark.spec("RFC 7252 3.1")
@pytest.mark.parametrize("number", [1, 12, 13, 14, 268, 269, 65535])
@pytest.mark.parametrize("size", [0, 12, 13, 14, 268, 269, 400])
def test_every_width_of_an_option_header_is_read_as_written(number, size):
    if number in (1, 12, 14):
        number += 4096
    options = [(number, bytes(size))]
    assert coap.decode_options(coap.encode_options(options, b"p"), 0) == (options, b"p")


@pytest.mark.spec("RFC 7252 5.10.1")
@pytest.mark.parametrize("segment", [b"\xff", b"\xc3", b".", b".."])
def test_a_path_segment_that_is_no_name_is_a_decode_error(segment):
    with pytest.raises(DecodeError):
        _ = Message(Code.GET, options=[(OptionNumber.URI_PATH, segment)]).path


def test_two_lists_of_segments_never_show_the_same_path():
    lists = [[b"a", b"b"], [b"a/b"], [b"a%2Fb"], [b"a%b"], [b"", b"a", b"b"]]
    paths = {Message(Code.GET, options=[(OptionNumber.URI_PATH, value) for value in row]).path for row in lists}
    assert paths == {"/a/b", "/a%2Fb", "/a%252Fb", "/a%25b", "//a/b"}


def test_a_query_that_is_not_utf_8_is_a_decode_error():
    with pytest.raises(DecodeError):
        _ = Message(Code.GET, options=[(OptionNumber.URI_QUERY, b"\xff")]).queries
    assert coap.request(Code.GET, "/a", query=("x=1", "y")).queries == ["x=1", "y"]


@pytest.mark.parametrize(
    "message",
    [
        Message(Code.GET, token=bytes(70000)),
        Message(Code.GET, options=[(11, b""), (3, b"h")]),
        Message(Code.GET, options=[(23, bytes(4))]),
    ],
    ids=["token", "order", "length"],
)
def test_what_cannot_be_said_is_not_written(message):
    with pytest.raises(ValueError, match=r"at most|stands behind"):
        coap.encode(message)
