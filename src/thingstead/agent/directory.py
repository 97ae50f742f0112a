"""How a thing says what it has: registered at its domain's resource directory, and renewed in time (RFC 9176 §5)."""

from __future__ import annotations

import logging
from collections.abc import Callable

from thingstead.agent.story import Request, Story, Wait
from thingstead.errors import ThingsteadError, TransportError
from thingstead.protocols.ace import aif
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.link import Link
from thingstead.protocols.profile import path

__all__ = ["DIRECTORY_STORY", "may_register", "tell"]

_LOGGER = logging.getLogger(__name__)

DIRECTORY_STORY = "directory"
_RENEWAL_SHARE = 0.75
_REQUESTED = {
    int(OptionNumber.LOCATION_PATH): int(OptionNumber.URI_PATH),
    int(OptionNumber.LOCATION_QUERY): int(OptionNumber.URI_QUERY),
}
_Place = list[tuple[int, bytes]]


def may_register(access_token: bytes) -> bool:
    """Whether a thing's own token names the directory: it decides nothing, it spares a request that is refused."""
    scope = cwt.decode(access_token).claims.required(Claim.SCOPE)
    return isinstance(scope, bytes) and path.RD in aif.decode(scope).grants


def tell(
    name: Callable[[], str],
    paths: Callable[[], list[str]],
    *,
    lifetime: float,
    retry: float,
    is_wanted: Callable[[], bool],
) -> Story:
    """Register, and renew in the last quarter of the time, until stopped.

    Args:
        name: the thing's name in the domain.
        paths: what it has that others may ask.
        lifetime: seconds that a registration is for.
        retry: seconds until what failed is tried again; doubled each time, up to `lifetime`.
        is_wanted: whether to register at all.
    """
    place: _Place | None = None
    delay = retry
    while True:
        try:
            if is_wanted():
                if place is None or not (yield from _renew(place, lifetime)):
                    place = yield from _register(name(), paths(), lifetime)
                delay = retry
            wait = lifetime * _RENEWAL_SHARE
        except ThingsteadError as error:
            _LOGGER.debug("not in the resource directory: %s", error)
            place, wait, delay = None, delay, min(2 * delay, lifetime)
        yield Wait(wait, DIRECTORY_STORY)


def _register(name: str, paths: list[str], lifetime: float) -> Story:
    """Where the registration is from now on, as options of a request to it."""
    links = link.render([Link(one) for one in paths])
    queries = (f"ep={name}", f"lt={round(lifetime)}")
    asked = request(Code.POST, path.RD, payload=links, content_format=ContentFormat.LINK_FORMAT, query=queries)
    answer: Message = yield Request(asked)
    place = [(_REQUESTED[number], value) for number, value in answer.options if number in _REQUESTED]
    if answer.code != Code.CREATED or not place:
        raise TransportError(f"the resource directory answered {answer.code:#04x}, and named {len(place)} segments")
    return place


def _renew(place: _Place, lifetime: float) -> Story:
    """Whether it took the renewal; where not, it has forgotten us (RFC 9176 §5.3.1)."""
    query = (int(OptionNumber.URI_QUERY), f"lt={round(lifetime)}".encode())
    answer: Message = yield Request(Message(Code.POST, options=[*place, query]))
    return answer.code == Code.CHANGED
