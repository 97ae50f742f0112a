"""What a server answers to a request that OSCORE refuses: unprotected, and not to be cached (RFC 8613 §8.2).

The RFC allows a diagnostic payload and warns of it (appendix D.5.3): it would tell who sends anything which contexts
there are, and whether a number was seen. So there is none; our own counters hold the reason.
"""

from __future__ import annotations

from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ReplayError,
    ThingsteadError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber

__all__ = ["REFUSALS", "refusal"]

REFUSALS: dict[type[ThingsteadError], Code] = {
    DecodeError: Code.BAD_OPTION,
    UnsupportedError: Code.BAD_OPTION,
    UntrustedError: Code.UNAUTHORIZED,
    ReplayError: Code.UNAUTHORIZED,
    AuthenticationError: Code.BAD_REQUEST,
}
"""The one table: error class -> code. An unknown context and a replay are told apart by nobody."""


def refusal(error: ThingsteadError) -> Message:
    """The response to send, without type, message ID and token, which the endpoint gives it.

    Raises:
        TypeError: an error that does not come from unprotecting a request.
    """
    for cls in type(error).__mro__:
        if cls in REFUSALS:
            return Message(REFUSALS[cls], options=[(OptionNumber.MAX_AGE, b"")])
    raise TypeError(f"{type(error).__name__} is not a refusal of OSCORE")
