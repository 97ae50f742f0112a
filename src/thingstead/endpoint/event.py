"""What an endpoint tells its adapter, and the names that both use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType, TypeAlias

from thingstead.errors import ThingsteadError
from thingstead.protocols.coap.message import Message

__all__ = [
    "Address",
    "AssociationId",
    "ContextNeeded",
    "Event",
    "ExchangeEnded",
    "ExchangeFailed",
    "ExchangeId",
    "GroupId",
    "RenewalNeeded",
    "RequestReceived",
    "ResponseReceived",
    "SequenceNeeded",
]

Address: TypeAlias = tuple[str, int]
"""IP address and port; opaque to the endpoint, which compares and hashes it only."""

AssociationId = NewType("AssociationId", str)
GroupId = NewType("GroupId", str)
ExchangeId = NewType("ExchangeId", int)


@dataclass(slots=True)
class RequestReceived:
    """A request that the application is to answer with `Endpoint.send_response`.

    Attributes:
        exchange: names the request in the answer.
        message: the inner request, body complete; options that the endpoint acts on are removed.
        source: where it came from.
        association: whose security context verified it; None for an unprotected request.
        member: kid of the group member whose countersignature verified; None outside a group.
        group: the group it came in by; None outside a group.
        observe: True registers, False cancels an observation, None is neither. The application accepts a
            registration by an Observe option, of any value, in its response.
        is_fresh: it brought back an Echo value that we gave this peer (RFC 9175 §2.3).
        is_multicast: it came to a multicast address; an error response would not be sent.
    """

    exchange: ExchangeId
    message: Message
    source: Address
    association: AssociationId | None
    member: bytes | None
    group: GroupId | None
    observe: bool | None
    is_fresh: bool
    is_multicast: bool


@dataclass(slots=True)
class ResponseReceived:
    """A response, or notification, to a request of ours; body complete.

    Attributes:
        exchange: as `Endpoint.send_request` returned it.
        message: the inner response.
        source: where it came from.
        association: whose security context verified it; None for an unprotected response.
        member: kid of the group member that responded; None outside a group.
        is_last: no further event follows for this exchange.
        state: what `Endpoint.send_stateless` was given; None for any other request.
    """

    exchange: ExchangeId
    message: Message
    source: Address
    association: AssociationId | None
    member: bytes | None
    is_last: bool
    state: bytes | None = None


@dataclass(slots=True)
class ExchangeFailed:
    """A request of ours that gets no response; the last event of its exchange."""

    exchange: ExchangeId
    error: ThingsteadError


@dataclass(slots=True)
class ExchangeEnded:
    """An observation that a peer had with us is over, or the time to collect a group's responses is."""

    exchange: ExchangeId


@dataclass(slots=True)
class SequenceNeeded:
    """Make durable that numbers below `upto` are spent, then call `Endpoint.sequence_reserved`.

    The numbers are those of an association, or of our own Sender ID in a group.
    """

    association: AssociationId | GroupId
    upto: int


@dataclass(slots=True)
class RenewalNeeded:
    """The keys of an association, or of our own in a group, come near what they may be used for; said once.

    They go on for an eighth of their time; after that nothing is sent or accepted under them.
    """

    association: AssociationId | GroupId


@dataclass(slots=True)
class ContextNeeded:
    """A request names a context that is not installed: `Endpoint.install` it or call `Endpoint.context_unknown`."""

    kid: bytes
    kid_context: bytes | None
    source: Address


Event: TypeAlias = (
    RequestReceived | ResponseReceived | ExchangeFailed | ExchangeEnded | SequenceNeeded | RenewalNeeded | ContextNeeded
)
