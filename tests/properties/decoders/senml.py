"""SenML packs."""

from datetime import UTC, datetime

from tests.properties.decoder import Decoder
from thingstead.protocols.senml import pack

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_CBOR = "81a3006474656d7001634365 6c02f94d00".replace(" ", "")
_JSON = b'[{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.5,"t":-5},{"n":"open","vb":true}]'

DECODERS = (
    Decoder("senml.pack.parse_cbor", lambda data: pack.parse_cbor(data, at=_AT), (_CBOR,), ("senml",)),
    Decoder("senml.pack.parse_json", lambda data: pack.parse_json(data, at=_AT), (_JSON.hex(),), ("senml",)),
)
