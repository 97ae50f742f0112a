"""What a request says about representations: their formats, and the state it is meant for (RFC 7252 §5.10)."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.errors import PolicyError, UnsupportedError
from thingstead.protocols.coap.block import entity_tag
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber

__all__ = [
    "CONTENT_FORMAT",
    "NEGOTIATED",
    "NOT_ACCEPTABLE",
    "PRECONDITION",
    "Formats",
    "is_conditional",
    "require_condition",
    "require_formats",
    "settle",
    "tag_of",
]

CONTENT_FORMAT, NOT_ACCEPTABLE, PRECONDITION = "content-format", "not-acceptable", "precondition"
"""Reasons of refusals: 4.15, 4.06 and 4.12."""

_SAFE = frozenset((Code.GET, Code.FETCH))
_CONDITIONS = frozenset((int(OptionNumber.IF_MATCH), int(OptionNumber.IF_NONE_MATCH)))

NEGOTIATED = _CONDITIONS | {int(OptionNumber.ACCEPT), int(OptionNumber.CONTENT_FORMAT), int(OptionNumber.ETAG)}
"""Options that are decided upon before, or after, a handler is called; most requests have none of them."""


@dataclass(frozen=True, slots=True)
class Formats:
    """What one method of a resource takes and gives.

    Attributes:
        consumes: Content-Formats of requests; any when empty.
        produces: Content-Formats of responses; not known when empty.
    """

    consumes: tuple[int, ...] = ()
    produces: tuple[int, ...] = ()


def require_formats(request: Message, formats: Formats) -> None:
    """Check Content-Format and Accept before anything is done (RFC 7252 §5.10.3, §5.10.4).

    A request without Content-Format is left to the resource, which defines what that means. What a question is
    answered in shows in the answer (`settle`); what is no question is not begun unless its answer can be accepted.

    Raises:
        PolicyError: a format that the method does not take (4.15), or cannot promise to give (4.06).
    """
    stated = request.uint_option(OptionNumber.CONTENT_FORMAT)
    if stated is not None and formats.consumes and stated not in formats.consumes:
        raise PolicyError(
            f"expected another Content-Format than {stated}", spec="RFC 7252 §5.10.3", reason=CONTENT_FORMAT
        )
    accepted = request.uint_option(OptionNumber.ACCEPT)
    is_known = request.code in _SAFE and not formats.produces
    if accepted is not None and not is_known and accepted not in formats.produces:
        raise PolicyError(f"expected another Accept than {accepted}", spec="RFC 7252 §5.10.4", reason=NOT_ACCEPTABLE)


def is_conditional(request: Message) -> bool:
    """Whether a request is meant for a certain state only (RFC 7252 §5.10.8)."""
    return any(number in _CONDITIONS for number, _ in request.options)


def require_condition(request: Message, current: bytes | None) -> None:
    """Check If-Match and If-None-Match; the resource exists, or we would not be here.

    Args:
        request: with one of them.
        current: entity-tag of the resource as it is; None where that cannot be told.

    Raises:
        PolicyError: the condition does not hold; nothing may be done (4.12, RFC 7252 §5.10.8).
        UnsupportedError: it cannot be told whether it holds (4.02).
    """
    wanted = request.option_values(OptionNumber.IF_MATCH)
    if wanted and b"" not in wanted and current is None:
        raise UnsupportedError("expected no If-Match for what has no entity-tag", spec="RFC 7252 §5.10.8.1")
    is_unmatched = bool(wanted) and b"" not in wanted and current not in wanted
    if is_unmatched or request.option(OptionNumber.IF_NONE_MATCH) is not None:
        raise PolicyError("expected the resource in another state", spec="RFC 7252 §5.10.8", reason=PRECONDITION)


def tag_of(response: Message) -> bytes:
    """The entity-tag of a representation: the resource's own, or one made of it."""
    return response.option(OptionNumber.ETAG) or entity_tag(response.payload)


def settle(request: Message, response: Message) -> Message:
    """What remains to be decided when the answer to a question is there (RFC 7252 §5.10.4, §5.10.6.2).

    Raises:
        PolicyError: it is not in the format that the client accepts (4.06).
    """
    if request.code not in _SAFE or response.code != Code.CONTENT:
        return response
    accepted = request.uint_option(OptionNumber.ACCEPT)
    given = response.uint_option(OptionNumber.CONTENT_FORMAT)
    if accepted is not None and accepted != given:
        raise PolicyError(f"expected another Accept than {accepted}", spec="RFC 7252 §5.10.4", reason=NOT_ACCEPTABLE)
    held = request.option_values(OptionNumber.ETAG)
    if not held:
        return response
    tag = tag_of(response)
    if tag not in held:
        return response.with_options((OptionNumber.ETAG, tag), without=_ETAG)
    kept = [option for option in response.options if option[0] in _OF_VALID]
    return Message(Code.VALID, options=kept).with_options((OptionNumber.ETAG, tag))


_ETAG = frozenset((int(OptionNumber.ETAG),))
_OF_VALID = frozenset((int(OptionNumber.MAX_AGE), int(OptionNumber.OBSERVE)))
"""Options of a representation that its confirmation has too."""
