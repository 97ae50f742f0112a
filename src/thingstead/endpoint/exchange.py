"""One request of a peer and its responses, as the server remembers it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from thingstead.endpoint.association import Association, Group
from thingstead.endpoint.event import Address, AssociationId, ExchangeId, GroupId, RequestReceived
from thingstead.endpoint.fragment import Hop
from thingstead.protocols.coap.block import Block
from thingstead.protocols.coap.echo import amplification_allowance
from thingstead.protocols.coap.message import Message, MessageType
from thingstead.protocols.coap.option import is_no_cache_key
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.coap.reliability import Deduplicator
from thingstead.protocols.group_oscore.binding import GroupBinding
from thingstead.protocols.group_oscore.protection import protect_group_response
from thingstead.protocols.oscore.binding import RequestBinding
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.oscore.protection import protect_response

__all__ = ["CombinedExchange", "ServerExchange", "operation"]

_NOT_OPERATION = frozenset(
    int(number)
    for number in (
        OptionNumber.OBSERVE,
        OptionNumber.BLOCK1,
        OptionNumber.BLOCK2,
        OptionNumber.ECHO,
        OptionNumber.OSCORE,
        OptionNumber.NO_RESPONSE,
    )
)

_NOT_OBSERVATION = frozenset((OptionNumber.ETAG, OptionNumber.REQUEST_TAG))

_UNDELIVERED = ExchangeId(0)


def operation(request: Message) -> tuple[object, ...]:
    """What makes two requests of a peer blocks of one operation (RFC 7959 §2.5, RFC 9175 §3.3).

    The method, and every option of the cache key, the Request-Tag among them; not the payload, which differs
    from block to block.
    """
    options = [
        option for option in request.options if option[0] not in _NOT_OPERATION and not is_no_cache_key(option[0])
    ]
    return (request.code, *options)


class ServerExchange(RequestReceived):
    """A request that came in, until its last response; as such it is also what the application is told of it.

    Attributes:
        exchange: names it towards the application; 0 until it is delivered.
        data: the datagram; empty over a stream, whose other end has shown that it receives.
        name: what a duplicate of it is known by.
        remembered: where its reply is kept for duplicates; None until it is accepted.
        type: CON or NON.
        mid: message ID of the request.
        token: of the request and all its responses.
        created: when it came, monotonic seconds.
        request: the inner request as it came; `message` has lost what the endpoint acts on.
        allowance: bytes that may still go to a source that was not seen to receive; None for one that was.
        peer: the association, else the source: what state is kept under.
        epoch: counts the installations of associations, so that an Echo value does not outlive one.
        binding: what responses are protected under; None for a plain request.
        protect: protects a response under `binding`.
        sequence: our sender sequence numbers where the response may need one.
        takes_sequence: the next protected response needs a sender sequence number of ours.
        is_answered: the request has been acknowledged, by a response or an empty ACK.
        is_elsewhere: it is an association's, and came from where its peer was not seen to receive.
        hop: how it came in outer blocks, or wants its response in some; None as a rule.
        block1: to acknowledge in the final response.
        block2: the block that was asked for.
        wants_size: the client asked for the size of the response body (RFC 7959 §4).
        no_response: classes of responses the client does not want, as bits (RFC 7967 §2.1).
        confirmed_at: when the last confirmable notification went out.
        notified_at: when the last notification went out that was none of the two: no answer, not confirmable.
        is_confirming: a confirmable notification is not acknowledged yet.
        pending: what is to be notified then.
        notified_mid: message ID of the last notification, by which a RST names it; -1 for none.
    """

    __slots__ = (
        "allowance",
        "binding",
        "block1",
        "block2",
        "confirmed_at",
        "created",
        "data",
        "epoch",
        "hop",
        "is_answered",
        "is_confirming",
        "is_elsewhere",
        "mid",
        "name",
        "no_response",
        "notified_at",
        "notified_mid",
        "peer",
        "pending",
        "protect",
        "remembered",
        "request",
        "sequence",
        "takes_sequence",
        "token",
        "type",
        "wants_size",
    )

    def __init__(self, data: bytes, source: Address, message: Message, now: float, *, is_multicast: bool) -> None:
        self.exchange = _UNDELIVERED
        self.message = self.request = message
        self.source = source
        self.association = None
        self.member = None
        self.group = None
        self.observe = None
        self.is_fresh = False
        self.is_multicast = is_multicast
        self.data = data
        self.name = (source, data)
        self.remembered: Deduplicator | None = None
        self.type: MessageType = message.type
        self.mid = message.mid
        self.token = message.token
        self.created = now
        self.allowance: int | None = amplification_allowance(len(data)) if data else None
        self.peer: Address | AssociationId | tuple[GroupId, bytes] = source
        self.epoch = 0
        self.binding: Any = None
        self.protect: Callable[..., Message] | None = None
        self.sequence: SequenceNumbers | None = None
        self.takes_sequence = False
        self.is_answered = False
        self.is_elsewhere = False
        self.hop: Hop | None = None
        self.block1: Block | None = None
        self.block2: Block | None = None
        self.wants_size = False
        self.no_response = 0
        self.confirmed_at = now
        self.notified_at = float("-inf")
        self.is_confirming = False
        self.pending: Message | None = None
        self.notified_mid = -1

    @property
    def is_unproven(self) -> bool:
        """Whether nobody knows who asked, nor whether what is sent to the source arrives there."""
        return self.allowance is not None and self.binding is None

    def echo_name(self) -> bytes:
        """Whom, and where, an Echo value given in this exchange is good for."""
        return repr((self.peer, self.epoch, self.source)).encode()

    def remember(self, duplicates: Deduplicator, now: float) -> None:
        """It has been accepted: the same datagram is a duplicate from now on."""
        duplicates.remember(self.name, now)
        self.remembered = duplicates

    def observation(self) -> Hashable:
        """What an observation is known by among those of its peer, and a cancellation finds it by.

        That is the token (RFC 7641 §4.1). Under OSCORE whoever is on the path may write another there, so a request
        is about an observation only if it has the same options inside, but for ETag (RFC 8613 §4.1.3.5).
        """
        if self.binding is None:
            return self.token
        same = self.request.with_options(without=_NOT_OBSERVATION)
        return (self.token, operation(same))

    def enter(self, association: Association, binding: RequestBinding) -> None:
        """The request has been verified under an association."""
        self.association = self.peer = association.id
        self.epoch = association.epoch
        self.binding = binding
        self.protect = protect_response
        self.sequence = association.context.sender.sequence
        if association.address == self.source:
            self.allowance = None
        else:
            self.is_elsewhere = True

    def enter_group(self, group: Group, binding: GroupBinding) -> None:
        """The request has been verified as a group member's."""
        self.group = group.id
        self.member = binding.kid
        self.peer = (group.id, binding.kid)
        self.epoch = group.epoch
        self.binding = binding
        self.protect = protect_group_response
        self.sequence = group.context.own.sequence
        self.allowance = None

    def spend_nonce(self) -> None:
        """Let no response go out under the request's nonce any more.

        A client takes a response without a Partial IV for older than any notification (RFC 8613 §7.4.1), so the
        last word to an observer needs one.
        """
        if self.group is not None:
            self.binding.take_nonce(self.binding.context)
        elif self.binding is not None:
            self.binding.take_nonce()

    def as_stranger(self) -> None:
        """Answer without protection, and no more than any stranger gets."""
        self.peer = self.source
        self.binding = self.protect = self.association = self.group = self.member = None
        self.takes_sequence = False
        self.allowance = amplification_allowance(len(self.data)) if self.data else None


class CombinedExchange(ServerExchange):
    """message_3 of a combined request, on its way to the application before the rest of it (RFC 9668 §3).

    Attributes:
        rest: the request under OSCORE, which is verified once message_3 has been taken.
    """

    __slots__ = ("rest",)

    def __init__(self, rest: ServerExchange, message_3: Message, now: float) -> None:
        super().__init__(rest.data, rest.source, message_3, now, is_multicast=False)
        self.rest = rest
        self.remembered = rest.remembered
