"""One request of a peer and its responses, as the server remembers it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from thingstead.endpoint.association import Association, Group
from thingstead.endpoint.event import Address, AssociationId, ExchangeId, GroupId, RequestReceived
from thingstead.endpoint.fragment import Hop
from thingstead.endpoint.memory import Memory
from thingstead.endpoint.representation import operation
from thingstead.protocols.coap.block import Block
from thingstead.protocols.coap.echo import amplification_allowance
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.group_oscore.binding import GroupBinding
from thingstead.protocols.oscore.binding import RequestBinding
from thingstead.protocols.oscore.context import SequenceNumbers

__all__ = ["CombinedExchange", "Observation", "Part", "ServerExchange"]

_NOT_OBSERVATION = frozenset((OptionNumber.ETAG, OptionNumber.REQUEST_TAG))

_UNDELIVERED = ExchangeId(0)


@dataclass(slots=True)
class Observation:
    """What an observer was sent last.

    Attributes:
        confirmed_at: when the last confirmable notification went out.
        notified_at: when the last notification went out that was none of the two: no answer, not confirmable.
        is_confirming: a confirmable notification is not acknowledged yet.
        pending: what is to be notified then.
        mid: message ID of the last notification, by which a RST names it; -1 for none.
        content_format: what the first representation was in, and all have to be; None while none has said.
    """

    confirmed_at: float
    notified_at: float = float("-inf")
    is_confirming: bool = False
    pending: Message | None = None
    mid: int = -1
    content_format: bytes | None = None

    def keeps_format(self, representation: Message) -> bool:
        """Whether a 2.05 is in the format of those before it (RFC 7641 §4.2)."""
        stated = representation.option(OptionNumber.CONTENT_FORMAT)
        if self.content_format is None:
            self.content_format = stated
        return stated == self.content_format


@dataclass(slots=True)
class Part:
    """Which part of the bodies a request is about.

    Attributes:
        block1: to acknowledge in the final response.
        block2: the block that was asked for.
        wants_size: the client asked for the size of the response body (RFC 7959 §4).
    """

    block1: Block | None = None
    block2: Block | None = None
    wants_size: bool = False


class ServerExchange(RequestReceived):
    """A request that came in, until its last response; as such it is also what the application is told of it.

    Attributes:
        exchange: names it towards the application; 0 until it is delivered.
        name: source and datagram, which a duplicate of it is known by; the datagram is empty over a stream, whose other
            end has shown that it receives.
        memory: where what is remembered of it is; None until it is accepted.
        created: when it came, monotonic seconds.
        request: the inner request as it came, with type, message ID and token; `message` has lost what the endpoint
            acts on.
        allowance: bytes that may still go to a source that was not seen to receive; None for one that was.
        epoch: counts the installations of associations, so that an Echo value does not outlive one.
        binding: what responses are protected under; None for a plain request.
        takes_sequence: the next protected response needs a sender sequence number of ours.
        is_answered: the request has been acknowledged, by a response or an empty ACK.
        is_elsewhere: it is an association's, and came from where its peer was not seen to receive.
        hop: how it came in outer blocks, or wants its response in some; None as a rule.
        part: what it says of blocks; None when it says nothing.
        no_response: classes of responses the client does not want, as bits (RFC 7967 §2.1).
        observation: of an observer, once it is one.
    """

    __slots__ = (
        "allowance",
        "binding",
        "created",
        "epoch",
        "hop",
        "is_answered",
        "is_elsewhere",
        "memory",
        "name",
        "no_response",
        "observation",
        "part",
        "request",
        "takes_sequence",
    )

    def __init__(self, name: tuple[Address, bytes], message: Message, now: float, is_multicast: bool) -> None:
        self.exchange = _UNDELIVERED
        self.message = self.request = message
        self.source, data = self.name = name
        self.association = None
        self.member = None
        self.group = None
        self.observe = None
        self.is_fresh = False
        self.is_multicast = is_multicast
        self.memory: Memory[ServerExchange] | None = None
        self.created = now
        self.allowance: int | None = amplification_allowance(len(data)) if data else None
        self.epoch = 0
        self.binding: Any = None
        self.takes_sequence = False
        self.is_answered = False
        self.is_elsewhere = False
        self.hop: Hop | None = None
        self.part: Part | None = None
        self.no_response = 0
        self.observation: Observation | None = None

    @property
    def peer(self) -> Address | AssociationId | tuple[GroupId, bytes]:
        """The association or group member, else the source: what state is kept under."""
        if self.group is not None and self.member is not None:
            return (self.group, self.member)
        return self.source if self.association is None else self.association

    @property
    def sequence(self) -> SequenceNumbers:
        """Our sender sequence numbers, one of which the response to a protected request may need."""
        context = self.binding.context
        numbers: SequenceNumbers = context.sender.sequence if self.group is None else context.own.sequence
        return numbers

    @property
    def is_unproven(self) -> bool:
        """Whether nobody knows who asked, nor whether what is sent to the source arrives there."""
        return self.allowance is not None and self.binding is None

    def echo_name(self) -> bytes:
        """Whom, and where, an Echo value given in this exchange is good for."""
        return repr((self.peer, self.epoch, self.source)).encode()

    def accept(self, memory: Memory[ServerExchange], now: float) -> None:
        """What it asks is to be done: the same datagram is a duplicate from now on."""
        if self.memory is not None:
            self.memory.duplicates.release(self.name)
        memory.duplicates.remember(self.name, now)
        self.memory = memory

    def observation_name(self) -> Hashable:
        """What an observation is known by among those of its peer, and a cancellation finds it by.

        That is the token (RFC 7641 §4.1). Under OSCORE whoever is on the path may write another there, so a request
        is about an observation only if it has the same options inside, but for ETag (RFC 8613 §4.1.3.5).
        """
        if self.binding is None:
            return self.request.token
        same = self.request.with_options(without=_NOT_OBSERVATION)
        return (self.request.token, operation(same))

    def enter(self, association: Association, binding: RequestBinding) -> None:
        """The request has been verified under an association."""
        self.association = association.id
        self.epoch = association.epoch
        self.binding = binding
        if association.address == self.source:
            self.allowance = None
        else:
            self.is_elsewhere = True

    def enter_group(self, group: Group, binding: GroupBinding) -> None:
        """The request has been verified as a group member's."""
        self.group = group.id
        self.member = binding.kid
        self.epoch = group.epoch
        self.binding = binding
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
        self.binding = self.association = self.group = self.member = None
        self.takes_sequence = False
        data = self.name[1]
        self.allowance = amplification_allowance(len(data)) if data else None


class CombinedExchange(ServerExchange):
    """message_3 of a combined request, on its way to the application before the rest of it (RFC 9668 §3).

    Attributes:
        rest: the request under OSCORE, which is verified once message_3 has been taken.
    """

    __slots__ = ("rest",)

    def __init__(self, rest: ServerExchange, message_3: Message, now: float) -> None:
        super().__init__(rest.name, message_3, now, False)
        self.rest = rest
        self.memory = rest.memory
