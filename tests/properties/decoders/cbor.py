"""CBOR."""

from tests.properties.decoder import Decoder
from thingstead.protocols.cbor import codec

_SEEDS = (
    "a26161016162820203",
    "d8184568656c6c6f",
    "fb3ff199999999999a",
    "9f018202039f0405ffff",
    "c249010000000000000000",
)

DECODERS = (
    Decoder("cbor.codec.decode", codec.decode, _SEEDS, ("cbor", "cose", "suit", "edhoc")),
    Decoder("cbor.codec.decode_prefix", codec.decode_prefix, _SEEDS, ("cbor",)),
    Decoder("cbor.codec.decode_sequence", codec.decode_sequence, _SEEDS, ("cbor", "edhoc")),
    Decoder("cbor.codec.decode_deterministic", codec.decode_deterministic, _SEEDS[:3], ("cbor", "cose-pq")),
)
