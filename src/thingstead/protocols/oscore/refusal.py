"""What a server answers to a request that OSCORE refuses: unprotected, and not to be cached (RFC 8613 §8.2)."""

from __future__ import annotations

from thingstead.errors import AuthenticationError, DecodeError, ReplayError, ThingsteadError, UntrustedError
from thingstead.protocols.coap.code import Code
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import OptionNumber, encode_uint

__all__ = ["REFUSALS", "refusal"]

REFUSALS: dict[type[ThingsteadError], tuple[Code, str]] = {
    DecodeError: (Code.BAD_OPTION, "Failed to decode COSE"),
    UntrustedError: (Code.UNAUTHORIZED, "Security context not found"),
    ReplayError: (Code.UNAUTHORIZED, "Replay detected"),
    AuthenticationError: (Code.BAD_REQUEST, "Decryption failed"),
}
"""The one table: error class -> code and diagnostic payload, in the RFC's words and no more to the peer than these."""


def refusal(error: ThingsteadError) -> Message:
    """The response to send, without type, message ID and token, which the endpoint gives it.

    Raises:
        TypeError: an error that does not come from unprotecting a request.
    """
    for cls in type(error).__mro__:
        if cls in REFUSALS:
            code, diagnostic = REFUSALS[cls]
            return Message(code, options=[(OptionNumber.MAX_AGE, encode_uint(0))], payload=diagnostic.encode())
    raise TypeError(f"{type(error).__name__} is not a refusal of OSCORE")
