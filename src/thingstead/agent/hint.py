"""Where a stranger may ask for rights at a thing (RFC 9200 §5.3)."""

from __future__ import annotations

from thingstead.endpoint.event import Address
from thingstead.protocols.ace.creation_hints import CreationHints
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import ContentFormat, OptionNumber
from thingstead.protocols.profile import path

__all__ = ["hinted"]

_ACE = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.ACE_CBOR))]


def hinted(refusal: Message, controller: Address, *, cnonce: bytes) -> Message:
    """A refusal that says so; not by which name, so that the stranger does not learn one."""
    host, port = controller[:2]
    place = f"[{host}]" if ":" in host else host
    hints = CreationHints(f"coap://{place}:{port}{path.TOKEN}", cnonce=cnonce)
    return Message(refusal.code, options=list(_ACE), payload=hints.encode())
