"""EDHOC over CoAP as a thing asks for it: of the domain when it joins, of another thing when it meets it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from thingstead.agent.story import Place, Request, Story
from thingstead.errors import DecodeError, ProtocolError, SecurityError, ThingsteadError
from thingstead.protocols.coap.code import code_name, is_error
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc import error as edhoc_error
from thingstead.protocols.edhoc.suite import choose_suite
from thingstead.protocols.profile import path

__all__ = ["edhoc_answer", "edhoc_request", "next_suite", "telling"]

_REFUSED = "refused"


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
            reason=_REFUSED,
        )
    return answer.payload


def next_suite(answer: Message, selected: int, preferences: Sequence[int]) -> int | None:
    """The suite to begin anew with, where message_1 was refused for `selected` (RFC 9528 §6.3.1); None to go on.

    Nobody vouches for the refusal. What it can do is make us offer a suite that we like less, behind those we like
    more, of which a genuine Responder will not pass over one.

    Raises:
        UnsupportedError: nothing in common.
    """
    if not is_error(answer.code):
        return None
    with suppress(DecodeError):
        refusal = edhoc_error.decode_error(answer.payload)
        if refusal.code == edhoc_error.ErrorCode.WRONG_SUITE:
            chosen = choose_suite(preferences, refusal.suites)
            return chosen if preferences.index(chosen) > preferences.index(selected) else None
    return None


def telling(c_r: bytes, rest: Story, to: Place | None = None) -> Story:
    """Go on with a handshake behind message_2; what we refuse there, the other side is told, and no more than that.

    It is the Initiator's duty (RFC 9528 §5.3.3, §5.5.3); an error is never answered by another (§6).
    """
    try:
        return (yield from rest)
    except (ProtocolError, SecurityError) as error:
        said = None if error.reason == _REFUSED else edhoc_error.answer(error)
        if said is not None:
            with suppress(ThingsteadError):
                yield edhoc_request(coap_carriage.frame_message_3(c_r, said), to)
        raise
