"""CoAP, and what its payloads name."""

from tests.properties.decoder import Decoder
from thingstead.protocols.coap import block, message, option, problem, tcp, uri
from thingstead.protocols.coap.tcp_connection import Connection, ConnectionConfig
from thingstead.protocols.link_format import link

_SEEDS = ("44015d1f00003974396c6f63616c686f737483747631", "64455d1f00003974ff48656c6c6f", "60004569", "40010001")
_LINKS = b'</s/t>;rt="temperature";if=sensor;ct=112,</fw>;sz=65536;anchor="/x"'

_STREAMS = (
    "00e1210174b161",
    "50e12301000020" + "d00002ff" + "61" * 12,
    "00e100e200e400e5",
    "01e2aa",
    "0de101" + "00" * 14,
)
_URIS = ("coap://example.com:5683/~sensors/temp.xml", "coap://[2001:db8::2:1]/%2F//?%2F%2F&?%26", "coap+tcp://h?")


def _frames(data: bytes) -> list[message.Message]:
    reader = tcp.FrameReader(tcp.Limits())
    reader.receive(data)
    return list(iter(reader.next_message, None))


DECODERS = (
    Decoder("coap.message.decode", message.decode, _SEEDS, ("oscore", "group-oscore")),
    Decoder(
        "coap.message.decode_options", lambda data: message.decode_options(data, 0), (_SEEDS[0][16:],), ("oscore",)
    ),
    Decoder("coap.message.Message.path", lambda data: message.decode(data).path, _SEEDS, ("oscore",)),
    Decoder("coap.block.decode_block", block.decode_block, ("", "0e", "1234", "fffff6")),
    Decoder("coap.option.decode_uint", option.decode_uint, ("", "01", "ffff", "ffffffff")),
    Decoder(
        "coap.problem.decode_problem",
        problem.decode_problem,
        ("a22061612709", "a220616127820918c8", "a120d82682626465614b"),
    ),
    Decoder("coap.tcp.FrameReader", _frames, _STREAMS),
    Decoder(
        "coap.tcp_connection.Connection", lambda data: Connection(ConnectionConfig(), 0.0).receive(data, 0.0), _STREAMS
    ),
    Decoder("coap.uri.parse", lambda data: uri.parse(data.decode("latin-1")), tuple(t.encode().hex() for t in _URIS)),
    Decoder("link_format.link.parse", link.parse, (_LINKS.hex(), "3c2f3e")),
)
