"""CoAP's encodings: messages, options and URIs, and frames on a stream."""

from __future__ import annotations

from tests.fuzz.target import Cursor, Target, ensure
from thingstead.errors import DecodeError, ProtocolError, UnsupportedError
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.block import decode_block
from thingstead.protocols.coap.message import Limits, Message, decode, decode_options, encode, encode_options, request
from thingstead.protocols.coap.option import decode_uint, encode_uint, recognised
from thingstead.protocols.coap.registry import OPTIONS, Code
from thingstead.protocols.coap.tcp_connection import Connection, ConnectionConfig
from thingstead.protocols.coap.tcp_signal import Csm, Ping, encode_signal
from thingstead.protocols.coap.uri import compose, parse

_GET = request(Code.GET, "/a/b", payload=b"payload")
_STREAM = ConnectionConfig(limits=tcp.Limits(max_message=2048))
_ADDRESS = ("192.0.2.1", 5683)


def _message(data: bytes) -> None:
    """What is decoded and may be encoded is the same message again."""
    try:
        message = decode(data, limits=Limits(max_size=1500, max_options=16))
    except (DecodeError, UnsupportedError):
        return
    ensure(len(message.options) <= 16 and len(data) <= 1500, "a limit was passed over")
    if _may_be_encoded(message):
        ensure(decode(encode(message)) == message, "a message changed by being encoded")


def _options(data: bytes) -> None:
    """Options keep order and value; what they say as numbers, blocks and URIs is refused or told the same way back."""
    try:
        options, payload = decode_options(data, 0)
    except DecodeError:
        return
    ensure([number for number, _ in options] == sorted(number for number, _ in options), "options out of order")
    for _, value in options:
        _numbers(value)
    try:
        known = recognised(options)
    except ProtocolError:
        return
    ensure(decode_options(encode_options(known, payload), 0) == (known, payload), "options changed")
    _uri(Message(Code.GET, options=known))


def _numbers(value: bytes) -> None:
    try:
        ensure(encode_uint(decode_uint(value)) == value.lstrip(b"\0"), "a number changed")
        block = decode_block(value)
        ensure(decode_block(block.encode()) == block, "a block changed")
    except ProtocolError:
        return


def _uri(message: Message) -> None:
    try:
        text = compose(message, _ADDRESS)
        composed = parse(text)
    except ProtocolError:
        return
    ensure(compose(Message(Code.GET, options=composed.options(_ADDRESS)), _ADDRESS) == text, "a URI changed")


def _frames(data: bytes) -> None:
    """A stream says the same however it is cut, holds what it may, and ends for good."""
    whole = Connection(_STREAM, 0.0)
    expected = whole.receive(data, 0.0)
    cursor = Cursor(data)
    pieces = Connection(_STREAM, 0.0)
    found: list[Message] = []
    step = 1 + len(data) % 7
    while not cursor.is_empty:
        found += pieces.receive(cursor.bytes(step), 0.0)
    ensure(found == expected, "the messages depend on how the stream was cut")
    ensure(str(pieces.error) == str(whole.error), "the end depends on how the stream was cut")
    ensure(pieces.take_bytes() == whole.take_bytes(), "the answer depends on how the stream was cut")
    for message in expected:
        if _may_be_encoded(message):
            reader = tcp.FrameReader(tcp.Limits())
            reader.receive(tcp.encode(message))
            ensure(reader.next_message() == message, "a message changed by being framed")


def _may_be_encoded(message: Message) -> bool:
    """We are liberal in what we take (RFC 7252 section 5.4.3), and encode no option longer than it may be."""
    return all(number not in OPTIONS or len(value) <= OPTIONS[number].max_size for number, value in message.options)


TARGETS = (
    Target("coap message", _message, (encode(_GET), encode(Message(Code.EMPTY)))),
    Target("coap options", _options, (encode_options(_GET.options, b"x"), encode_options([(27, b"\x1e")], b""))),
    Target(
        "coap stream",
        _frames,
        (
            tcp.encode(encode_signal(Csm(4096, block_wise=True))) + tcp.encode(_GET),
            tcp.encode(encode_signal(Csm())) + tcp.encode(encode_signal(Ping(), b"t")),
        ),
    ),
)
