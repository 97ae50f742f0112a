"""What proxies tell of each other where a request goes round in circles (RFC 8768 §4)."""

from __future__ import annotations

from thingstead.errors import ProtocolError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber

__all__ = ["LoopError", "hop_limit_reached", "with_our_name"]

_ROOM = 512
"""Bytes of names; a longer list passes as it is."""


class LoopError(ProtocolError):
    """What we sent on came back to us: an origin of ours is, in the end, this proxy."""

    reason = "loop"


def hop_limit_reached(name: str) -> Message:
    """5.08 of the proxy at which a request ends."""
    return Message(Code.HOP_LIMIT_REACHED, payload=name.encode())


def with_our_name(response: Message, name: str) -> Message:
    """A 5.08 on its way back, and this proxy before those that it names; anything else as it is.

    Raises:
        LoopError: this proxy is among them; such a response must not go on.
    """
    if response.code != Code.HOP_LIMIT_REACHED or response.option(OptionNumber.CONTENT_FORMAT) is not None:
        return response
    names, ours = response.payload.split(b" "), name.encode()
    if ours in names:
        raise LoopError("expected to be on the way of a request once", spec="RFC 8768 §4")
    told = ours + b" " + response.payload if response.payload else ours
    if len(told) > _ROOM:
        return response
    return Message(response.code, options=response.options, payload=told)
