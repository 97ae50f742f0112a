"""EDHOC: every message, plaintext and credential."""

from tests.properties.decoder import Decoder
from tests.unit.protocols.edhoc import rfc9529 as rfc
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.edhoc import coap_carriage, combined_request, credential, error, message
from thingstead.protocols.profile import grant

_M = "edhoc.message."


def _message_or_error(data: bytes) -> object:
    """A well-formed error message in place of message_2 is read, and raised: nothing is wrong with its bytes."""
    try:
        return message.decode_byte_string(data)
    except error.PeerError as received:
        return received


def _split(payload: bytes) -> object:
    options = [(int(OptionNumber.OSCORE), b"\x09\x00\x01"), (int(OptionNumber.EDHOC), b"")]
    return combined_request.split(Message(Code.POST, options=options, payload=payload))


DECODERS = (
    Decoder(_M + "decode_message_1", message.decode_message_1, (rfc.MESSAGE_1.hex(),), ("edhoc",)),
    Decoder(
        _M + "read_items",
        lambda data: message.read_items(data, message.Limits()),
        (rfc.MESSAGE_1.hex(), rfc.PLAINTEXT_2.hex()),
        ("edhoc",),
    ),
    Decoder(_M + "decode_byte_string", _message_or_error, (rfc.MESSAGE_2.hex(), rfc.MESSAGE_4.hex())),
    Decoder(
        _M + "decode_plaintext_2",
        lambda data: message.decode_plaintext_2(data, proof_size=8),
        (rfc.PLAINTEXT_2.hex(),),
        ("edhoc",),
    ),
    Decoder(
        _M + "decode_plaintext_3",
        lambda data: message.decode_plaintext_3(data, proof_size=8),
        (rfc.PLAINTEXT_3.hex(),),
        ("edhoc",),
    ),
    Decoder(_M + "decode_plaintext_4", message.decode_plaintext_4, ("", "0f43010203", "20")),
    Decoder("edhoc.error.decode_error", error.decode_error, (rfc.ERROR.hex(), "03f5", "01626e6f"), ("edhoc",)),
    Decoder(
        "edhoc.coap_carriage.parse_request", coap_carriage.parse_request, ("f5" + rfc.MESSAGE_1.hex(),), ("edhoc",)
    ),
    Decoder(
        "edhoc.combined_request.split", _split, ("52d5535f3147e85f1cfacd9e78abf9e0a81bbf612f1092f1776f1c1668b3825e",)
    ),
    Decoder(
        "edhoc.credential.read_credential",
        lambda data: credential.read_credential(data, credential.kid_reference(b"\x2b")),
        (rfc.CRED_I.hex(), rfc.CRED_R.hex()),
        ("edhoc",),
    ),
    Decoder("profile.grant.decode_granted", grant.decode_granted, ("41014102410341ff",)),
)
