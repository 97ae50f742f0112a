"""message_3 and the first request under OSCORE in one CoAP message (RFC 9668 §3).

C_R travels as the kid of the OSCORE option, and there is no message_4: a session whose application profile has one is
not completed this way (§3.3.1 step 4). Only the forward message flow is combined.
"""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.code import is_request
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.edhoc.message import DEFAULT_LIMITS, Limits

__all__ = ["MAX_UNFRAGMENTED_SIZE", "CombinedRequest", "combine", "is_combined", "split"]

MAX_UNFRAGMENTED_SIZE = 1024
"""Bytes that go without outer blocks where nothing else is known of the path (RFC 8613 §4.1.3.4.2, RFC 7252 §4.6)."""

_EDHOC = int(OptionNumber.EDHOC)
_OSCORE = int(OptionNumber.OSCORE)
_BYTE_STRING = 0x40  # major type 2
_MAJOR = 0xE0


@dataclass(frozen=True, slots=True)
class CombinedRequest:
    """A combined request in its parts; neither is verified.

    Attributes:
        message_3: for the session that the kid of the OSCORE option names.
        request: for the security context that the session leads to, and for no other.
    """

    message_3: bytes
    request: Message


def is_combined(request: Message) -> bool:
    """Whether the request says that it is one; a value of the option, which should have none, is ignored (§3.1)."""
    return request.option(_EDHOC) is not None


def combine(request: Message, message_3: bytes, *, max_payload: int = MAX_UNFRAGMENTED_SIZE) -> Message:
    """Put message_3 in front of a request, protected under the context that it leads to (§3.2.1).

    Args:
        request: with its OSCORE option, and not a later block of a body (§3.2.2).
        message_3: as `Message2Authenticated.message_3` made it.
        max_payload: bytes that may go unfragmented.

    Raises:
        ValueError: no request under OSCORE, one that is combined already, or too much for one message: then message_3
            goes first, by itself.
    """
    if not is_request(request.code) or request.option(_OSCORE) is None or is_combined(request):
        raise ValueError("message_3 goes in front of a request under OSCORE, once (RFC 9668 §3.2.1)")
    payload = message_3 + request.payload
    if len(payload) > max_payload:
        raise ValueError(f"{len(payload)} bytes do not go unfragmented; send message_3 first (RFC 9668 §3.2.2)")
    combined = request.with_options((_EDHOC, b""))
    combined.payload = payload
    return combined


def split(request: Message, *, limits: Limits = DEFAULT_LIMITS) -> CombinedRequest:
    """Take a combined request apart (§3.3.1 steps 1, 2, 6 and 7); answer what it refuses with 4.00.

    Raises:
        DecodeError: no EDHOC or OSCORE option, no request, or a payload other than message_3 and a ciphertext.
    """
    if not is_request(request.code) or not is_combined(request) or request.option(_OSCORE) is None:
        raise DecodeError("expected an OSCORE option beside the EDHOC option", spec="RFC 9668 §3.3.1")
    payload = request.payload
    if not payload or payload[0] & _MAJOR != _BYTE_STRING:
        raise DecodeError("expected message_3 in front of the OSCORE payload", spec="RFC 9668 §3.3.1")
    bounds = codec.Limits(max_bytes=max(len(payload), 1), max_depth=1)
    content, end = codec.decode_prefix(payload, limits=bounds)
    if end > limits.max_message or codec.encode(content) != payload[:end]:
        raise DecodeError("expected message_3 as deterministic CBOR, within the limit", spec="RFC 9668 §3.3.1")
    if end == len(payload):
        raise DecodeError("expected an OSCORE payload behind message_3", spec="RFC 9668 §3.3.1")
    rebuilt = request.with_options(without=frozenset({_EDHOC}))
    rebuilt.payload = payload[end:]
    return CombinedRequest(payload[:end], rebuilt)
