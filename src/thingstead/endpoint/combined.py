"""A combined request as the two requests that it stands for (RFC 9668 §3)."""

from __future__ import annotations

from thingstead.errors import DecodeError
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.edhoc.coap_carriage import frame_message_3
from thingstead.protocols.edhoc.combined_request import split
from thingstead.protocols.oscore.protection import read_option

__all__ = ["part"]


def part(combined: Message, *, path: str) -> tuple[Message, Message]:
    """The request that would have carried message_3 alone, and the one under OSCORE (§3.3.1 steps 1, 2, 3, 6 and 7).

    C_R is the kid of the latter.

    Raises:
        DecodeError: a payload other than message_3 and a ciphertext, or no kid.
    """
    parts = split(combined)
    c_r = read_option(parts.request).kid
    if c_r is None:
        raise DecodeError("expected C_R as the kid of a combined request", spec="RFC 9668 §3.3.1")
    first = request(
        Code.POST, path, payload=frame_message_3(c_r, parts.message_3), content_format=ContentFormat.CID_EDHOC_CBOR_SEQ
    )
    first.type, first.mid, first.token = combined.type, combined.mid, combined.token
    return first, parts.request
