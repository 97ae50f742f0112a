"""EDHOC over CoAP: what stands in front of a message (RFC 9528 Appendix A.2).

Requests are of `ContentFormat.CID_EDHOC_CBOR_SEQ`; responses, errors among them, of `ContentFormat.EDHOC_CBOR_SEQ`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.edhoc.identifier import decode_identifier, encode_identifier
from thingstead.protocols.edhoc.message import DEFAULT_LIMITS, Limits

__all__ = [
    "RESOURCE_TYPE",
    "WELL_KNOWN_PATH",
    "CredentialType",
    "frame_error",
    "frame_message_1",
    "frame_message_3",
    "link_attributes",
    "parse_request",
]

WELL_KNOWN_PATH = "/.well-known/edhoc"
RESOURCE_TYPE = "core.edhoc"

_REFERENCES = {"kid": 4, "kcwt": 13, "kccs": 14, "x5chain": 33, "x5t": 34, "x5u": 35}
_NEW_SESSION = b"\xf5"
_LONGEST_IDENTIFIER = 24
_SERVER_ERROR = 5  # class of the codes 5.xx


class CredentialType(IntEnum):
    """IANA "EDHOC Authentication Credential Types" (RFC 9668 §8.4)."""

    CWT = 0
    CCS = 1
    X509 = 2


def link_attributes(
    *,
    methods: Sequence[int],
    suites: Sequence[int],
    credential_types: Sequence[CredentialType],
    references: Sequence[str],
    ead_labels: Sequence[int],
    combines: bool,
) -> tuple[tuple[str, str | None], ...]:
    """What a link to a Responder's EDHOC resource says of its application profile (RFC 9668 §6).

    Args:
        methods: accepted.
        suites: supported.
        credential_types: of either party.
        references: names of the COSE header parameters in ID_CRED_x.
        ead_labels: understood.
        combines: combined requests are taken.
    """
    repeated = {
        "ed-method": methods,
        "ed-csuite": suites,
        "ed-cred-t": credential_types,
        "ed-idcred-t": [_REFERENCES[name] for name in references],
        "ed-ead": ead_labels,
    }
    values: list[tuple[str, str | None]] = [
        (name, str(int(number))) for name, numbers in repeated.items() for number in numbers
    ]
    roles: list[tuple[str, str | None]] = [("ed-r", None), *([("ed-comb-req", None)] if combines else [])]
    return (("rt", RESOURCE_TYPE), *values, *roles)


def frame_message_1(message_1: bytes) -> bytes:
    """The payload of the request that begins a session: ``true``, then message_1."""
    return _NEW_SESSION + message_1


def frame_message_3(c_r: bytes, message_3: bytes) -> bytes:
    """The payload of a later request: C_R, by which the server finds the session, then the message.

    In the reverse message flow, where the server is Initiator, those are C_I and message_2 (Appendix A.2.2).
    """
    return encode_identifier(c_r) + message_3


def frame_error(error: bytes, code: int) -> Message:
    """The response that carries an EDHOC error message (Appendix A.2.3).

    Args:
        error: the message.
        code: what CoAP would say; which client error it was is the operator's to know, and not told.
    """
    refusal = Code.INTERNAL_SERVER_ERROR if code >> 5 == _SERVER_ERROR else Code.BAD_REQUEST
    format_option = (int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.EDHOC_CBOR_SEQ))
    return Message(refusal, options=[format_option], payload=error)


def parse_request(payload: bytes, *, limits: Limits = DEFAULT_LIMITS) -> tuple[bytes | None, bytes]:
    """Split a request's payload.

    Returns:
        None and message_1, or C_R and a later message.

    Raises:
        DecodeError: neither ``true`` nor an identifier in front, nothing behind it, or over a limit.
    """
    if len(payload) > limits.max_message + _LONGEST_IDENTIFIER:
        raise DecodeError(f"expected at most {limits.max_message} bytes of EDHOC", spec="RFC 9528 §9.7")
    first, end = codec.decode_prefix(payload)
    identifier = None if first is True else decode_identifier(first)
    if identifier is not None and encode_identifier(identifier) != payload[:end]:
        raise DecodeError("expected C_R as deterministic CBOR", spec="RFC 9528 §3.3.2")
    if end == len(payload):
        raise DecodeError("expected a message behind the connection identifier", spec="RFC 9528 Appendix A.2")
    return identifier, payload[end:]
