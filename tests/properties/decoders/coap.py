"""CoAP, and what its payloads name."""

from tests.properties.decoder import Decoder
from thingstead.protocols.coap import block, message, option
from thingstead.protocols.link_format import link

_SEEDS = ("44015d1f00003974396c6f63616c686f737483747631", "64455d1f00003974ff48656c6c6f", "60004569", "40010001")
_LINKS = b'</s/t>;rt="temperature";if=sensor;ct=112,</fw>;sz=65536;anchor="/x"'

DECODERS = (
    Decoder("coap.message.decode", message.decode, _SEEDS, ("oscore", "group-oscore")),
    Decoder(
        "coap.message.decode_options", lambda data: message.decode_options(data, 0), (_SEEDS[0][16:],), ("oscore",)
    ),
    Decoder("coap.message.Message.path", lambda data: message.decode(data).path, _SEEDS, ("oscore",)),
    Decoder("coap.block.decode_block", block.decode_block, ("", "0e", "1234", "fffff6")),
    Decoder("coap.option.decode_uint", option.decode_uint, ("", "01", "ffff", "ffffffff")),
    Decoder("link_format.link.parse", link.parse, (_LINKS.hex(), "3c2f3e")),
)
