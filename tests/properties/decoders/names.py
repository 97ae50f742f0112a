"""What devices and servers say on the wire about names and about themselves."""

from tests.properties.decoder import Decoder
from thingstead.protocols.dns import message

_QUERY = message.encode_query(message.Question("cloud.example.com", message.RecordType.A), id=7)

DECODERS = (Decoder("dns.message.decode", message.decode, (_QUERY.hex(),)),)
