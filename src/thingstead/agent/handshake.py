"""EDHOC over CoAP as a thing asks for it: of the domain when it joins, of another thing when it meets it."""

from __future__ import annotations

from thingstead.agent.story import Place, Request
from thingstead.errors import DecodeError
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import path

__all__ = ["edhoc_answer", "edhoc_request"]


def edhoc_request(payload: bytes, to: Place | None = None) -> Request:
    """POST of a framed message, in clear (RFC 9528 Appendix A.2)."""
    asked = request(Code.POST, path.EDHOC, payload=payload, content_format=ContentFormat.CID_EDHOC_CBOR_SEQ)
    return Request(asked, protected=False, to=to)


def edhoc_answer(answer: Message, expected: Code = Code.CHANGED) -> bytes:
    """The message that answers it; with another code what answers the request that brought message_3 (RFC 9668).

    Raises:
        DecodeError: the handshake was refused (`reason` ``refused``).
    """
    if answer.code != expected:
        raise DecodeError(
            f"expected the other side to go on with the handshake, it refused with code {code_name(answer.code)}",
            reason="refused",
        )
    return answer.payload
