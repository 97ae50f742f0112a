"""MUD files and their signatures."""

from tests.properties.decoder import Decoder
from tests.unit.protocols.mud.fixture import bent
from thingstead.protocols.json import place
from thingstead.protocols.mud import parser, signature

DECODERS = (
    Decoder("mud.parser.parse", parser.parse, (bent().hex(),), ("mud",)),
    Decoder(
        "json.place.decode_json", lambda data: place.decode_json(data, max_bytes=65_536, max_depth=16), (bent().hex(),)
    ),
    Decoder("mud.signature.claimed_signer", signature.claimed_signer, (), ("mud",)),
)
