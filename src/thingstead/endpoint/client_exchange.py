"""One request of ours and its responses: what to send next, and what each response means for it."""

from __future__ import annotations

from typing import Any

from thingstead.endpoint.association import Association
from thingstead.endpoint.event import Address
from thingstead.endpoint.fragment import Reassembly
from thingstead.endpoint.representation import operation
from thingstead.errors import (
    DecodeError,
)
from thingstead.protocols.coap.block import (
    Assembly,
    Block,
    BodySender,
    IncompleteBodyError,
    Pieces,
    decode_block,
)
from thingstead.protocols.coap.code import is_error
from thingstead.protocols.coap.echo import is_echo
from thingstead.protocols.coap.message import Message, MessageType
from thingstead.protocols.coap.observe import NotificationOrder, ObserveRequest
from thingstead.protocols.coap.option import decode_uint, encode_uint
from thingstead.protocols.coap.registry import Code, OptionNumber

__all__ = ["OF_BLOCKS", "SET_BY_US", "ClientExchange"]

_MAX_RESTARTS = 3
_USUAL_SZX = 6
_REPEATABLE = frozenset((Code.GET, Code.FETCH))

OF_BLOCKS = frozenset((int(OptionNumber.BLOCK1), int(OptionNumber.BLOCK2), int(OptionNumber.SIZE2)))
"""Options of a piece that a whole message does not have."""

SET_BY_US = OF_BLOCKS | {OptionNumber.OBSERVE, OptionNumber.SIZE1, OptionNumber.ECHO, OptionNumber.REQUEST_TAG}
"""Options that the endpoint sets in a request, whatever the application wrote there.

But for Block2: an application that names a block gets that piece of the response, and puts the pieces together itself.
"""
_NOT_IN_LATER_BLOCKS = SET_BY_US | {OptionNumber.IF_NONE_MATCH}


class ClientExchange:
    """A request of ours, until its last response.

    Attributes:
        id: names it towards the application.
        request: what the application asked, body and all.
        operation: what such requests have alike, but for their bodies; None of one without a body.
        destination: where it goes.
        association: whose context protects it; None for a plain request.
        is_confirmable: CON, not NON.
        observe: the application wants notifications.
        is_piece: the application names the block of the response that it wants, and gets no more than that.
        message_3: goes with the first message, and with that alone (RFC 9668 §3.2).
        token: of the message on its way now; empty before the first.
        mid: of the same.
        pieces: how our body is cut, and which blocks we ask for.
        is_reliable: the transport keeps order, and takes BERT (RFC 8323).
        binding: what responses to that message are verified under.
        observe_token: of the registration, and so of every notification.
        observe_binding: what notifications are verified under.
        order: lets newer notifications pass; None until the server has accepted the registration.
        sender: our body, while it is on its way in blocks.
        tag: Request-Tag of those blocks, or of a request with a body while another is like it but for that.
        assembly: the response body, while it comes in blocks.
        head: the first block's message, whose options hold for the whole.
        echo: the Echo value to bring back.
        outer_echo: the one to bring back to somebody on the way, outside of what is protected.
        protected: the OSCORE message on its way now.
        reassembly: its response, while it comes in outer blocks.
        restarts: times that something made us begin again; bounded.
        is_resting: nothing of ours is on its way; at the deadline an observation is registered again.
        is_registering_again: the registration is on its way again, and unanswered.
        failures: times in a row that nothing came of that.
        state: what the application wants back with the response; None as a rule.
        trial: a long token to send, to find out whether the peer takes it (RFC 8974 §2.2.2).
        deadline: when we give up, monotonic seconds.
    """

    __slots__ = (
        "assembly",
        "association",
        "binding",
        "deadline",
        "destination",
        "echo",
        "failures",
        "head",
        "id",
        "is_confirmable",
        "is_piece",
        "is_registering_again",
        "is_reliable",
        "is_resting",
        "message_3",
        "mid",
        "observe",
        "observe_binding",
        "observe_token",
        "operation",
        "order",
        "outer_echo",
        "pieces",
        "protected",
        "reassembly",
        "request",
        "restarts",
        "sender",
        "state",
        "tag",
        "token",
        "trial",
    )

    def __init__(
        self,
        name: int,
        request: Message,
        destination: Address,
        association: Association | None,
        *,
        pieces: Pieces,
        is_reliable: bool,
    ) -> None:
        self.id = name
        self.request = request
        owner = None if association is None else association.id
        self.operation = (destination, owner, *operation(request)) if request.payload else None
        self.destination = destination
        self.association = association
        self.pieces = pieces
        self.is_reliable = is_reliable
        self.is_confirmable = True
        self.is_piece = request.option(OptionNumber.BLOCK2) is not None
        self.observe = False
        self.message_3 = b""
        self.token = b""
        self.mid = -1
        self.binding: Any = None
        self.observe_token = b""
        self.observe_binding: Any = None
        self.order: NotificationOrder | None = None
        self.sender: BodySender | None = None
        self.tag = b""
        self.assembly: Assembly | None = None
        self.head: Message | None = None
        self.echo: bytes | None = None
        self.outer_echo: bytes | None = None
        self.protected: Message | None = None
        self.reassembly: Reassembly | None = None
        self.restarts = 0
        self.is_resting = False
        self.is_registering_again = False
        self.failures = 0
        self.deadline = 0.0
        self.state: bytes | None = None
        self.trial = b""
        self._start_upload()

    def may_stay_unanswered(self) -> bool:
        """Whether the request itself says that some response is not to come (RFC 7967 §2)."""
        return any(self.request.option_values(OptionNumber.NO_RESPONSE))

    def is_registration(self) -> bool:
        """Whether the message to send now asks to observe."""
        return self.observe and self.assembly is None and (self.order is None or self.is_registering_again)

    def may_register_again(self) -> bool:
        """Whether the registration can be repeated, and has to be.

        What another protected is accepted once; and a connection that stands shows that the server has not forgotten
        (RFC 8323 §7.3).
        """
        return not self.is_reliable and self.request.option(OptionNumber.OSCORE) is None

    def register_again(self) -> None:
        """Make the registration what is to be sent next, as it was first (RFC 7641 §3.3.1)."""
        self.is_registering_again = True
        self.echo = None
        self.restarts = 0

    def adopt(self) -> None:
        """The server has answered the repeated registration: notifications belong to it (RFC 8613 §4.1.3.5.1)."""
        self.observe_binding = self.binding
        self.is_registering_again = False

    def may_restart(self) -> bool:
        """Count one more beginning from the start, and say whether it is still a sane number of them."""
        self.restarts += 1
        return self.restarts <= _MAX_RESTARTS

    def compose(self, token: bytes, mid: int) -> Message:
        """The message to send now, before protection."""
        if self.sender is None and self.assembly is None:
            self._start_upload()
        request = self.request
        kind = MessageType.CON if self.is_confirmable else MessageType.NON
        added: list[tuple[int, bytes]] = []
        payload = request.payload
        without = SET_BY_US
        if self.sender is not None:
            block, payload = self.sender.piece()
            added.append((OptionNumber.BLOCK1, block.encode()))
            if block.num == 0:
                added.append((OptionNumber.SIZE1, encode_uint(self.sender.size)))
            else:
                without = _NOT_IN_LATER_BLOCKS
        elif self.assembly is not None:
            added.append((OptionNumber.BLOCK2, self.assembly.following().encode()))
            payload = b""
        if self.is_piece:
            without = without - {OptionNumber.BLOCK2}
        elif self.assembly is None and (self.sender is None or self.sender.is_at_end):
            added += self._wished_size()
        if self.tag:
            added.append((OptionNumber.REQUEST_TAG, self.tag))
        if self.echo is not None:
            added.append((OptionNumber.ECHO, self.echo))
        if self.is_registration():
            added.append((OptionNumber.OBSERVE, encode_uint(ObserveRequest.REGISTER)))
        if not added:
            return Message(request.code, kind, mid, token, request.options, payload)
        composed = request.with_options(*added, without=without)
        return Message(request.code, kind, mid, token, composed.options, payload)

    def deregistration(self, mid: int) -> Message:
        """Tells the server that we observe no longer: the registration again, by token and options (RFC 7641 §3.6)."""
        added = [(int(OptionNumber.OBSERVE), encode_uint(ObserveRequest.DEREGISTER)), *self._wished_size()]
        if self.tag:
            added.append((OptionNumber.REQUEST_TAG, self.tag))
        request = self.request.with_options(*added, without=SET_BY_US)
        return Message(request.code, MessageType.NON, mid, self.observe_token, request.options, request.payload)

    def keep_apart(self) -> None:
        """Say by a Request-Tag that blocks of this request and its response are no other's (RFC 9175 §3.5.2)."""
        self.tag = encode_uint(self.id)[-8:]

    def is_refused_by(self, message: Message) -> bool:
        """Whether this is an unprotected error to a protected request (RFC 8613 §8.2).

        Nobody vouches for it. Over datagrams it has to acknowledge the request by its message ID, which who did not
        see the request does not know; and no more is believed than that there will be no response.
        """
        return (
            self.association is not None
            and (self.order is None or self.is_registering_again)
            and (message.type is MessageType.ACK or self.is_reliable)
            and is_error(message.code)
            and message.option(OptionNumber.OSCORE) is None
        )

    def gather(self, message: Message, source: Address) -> Message | None:
        """The whole OSCORE message; None while outer pieces of it are missing (RFC 8613 §8.4.1).

        A piece is not verified, so it counts only from where the request went.

        Raises:
            DecodeError, IncompleteBodyError, BodyTooLargeError: pieces that do not fit together, or too many.
        """
        is_piece = message.option(OptionNumber.BLOCK2) is not None and message.option(OptionNumber.OSCORE) is not None
        if not is_piece or self.association is None or source != self.destination:
            return message
        if self.reassembly is None:
            self.reassembly = Reassembly(message, aead_id=self.association.context.aead_id)
        reassembly, self.reassembly = self.reassembly, None
        whole = reassembly.add(message)
        if whole is None:
            self.reassembly = reassembly
        return whole

    def next_piece(self, mid: int) -> Message:
        """What asks for the next outer piece, when `gather` has said that one is missing."""
        if self.reassembly is None or self.protected is None:
            raise ValueError("nothing is missing")
        asked = self.reassembly.following(self.protected)
        self.mid = asked.mid = mid
        return asked

    def wants_echo(self, inner: Message) -> bool:
        """Whether the server wants the same again with an Echo value (RFC 9175 §2.3)."""
        value = inner.option(OptionNumber.ECHO)
        if inner.code != Code.UNAUTHORIZED or not is_echo(value) or not self.may_restart():
            return False
        self.echo = value
        return True

    def wants_outer_echo(self, message: Message) -> bool:
        """Whether somebody on the way, who cannot speak for the peer, wants the same again (RFC 9175 §2.3, §2.4)."""
        value = message.option(OptionNumber.ECHO)
        if message.code != Code.UNAUTHORIZED or not is_echo(value) or not self.may_restart():
            return False
        self.outer_echo = value
        return True

    def wants_block(self, inner: Message) -> bool:
        """Whether there is another block of our body to send (RFC 7959 §2.5).

        Raises:
            DecodeError: a response that acknowledges something else, or takes a part of the body for the whole.
        """
        sender = self.sender
        value = inner.option(OptionNumber.BLOCK1)
        block = None if value is None else decode_block(value, bert=self.is_reliable)
        if inner.code == Code.REQUEST_ENTITY_TOO_LARGE:
            return block is not None and self.may_restart() and self._shrink(block.szx)
        if sender is None:
            return False
        if inner.code == Code.REQUEST_ENTITY_INCOMPLETE and self.may_restart():
            sender.restart()
            return True
        if is_error(inner.code) or (sender.is_at_end and inner.code != Code.CONTINUE):
            return False
        # 2.31 asks for the rest. Any other success says that this block was acted upon alone (RFC 7959 §2.3).
        if block is None:
            raise DecodeError("expected a response to a part of the body that says so", spec="RFC 7959 §2.3")
        if sender.acknowledge(block):
            raise DecodeError("expected a final response to the last block, got 2.31", spec="RFC 7959 §2.9.1")
        return True

    def is_in_order(self, inner: Message, now: float) -> bool:
        """Whether a response under the registration's token is new; begins or ends the observation."""
        value = inner.option(OptionNumber.OBSERVE)
        if value is None or is_error(inner.code):
            self.order = None
            return True
        number = decode_uint(value)
        if self.order is not None and self.is_reliable:
            return True
        is_answer = self.is_registering_again and self.association is None
        if is_answer:
            self.adopt()
        if self.order is None or is_answer:
            self.order = NotificationOrder(number, now)
            return True
        # What OSCORE has verified came in order, by whole Partial IVs, or without one first (RFC 8613 §7.4.1).
        return self.association is not None or self.order.accept(number, now)

    def collect(self, inner: Message, block: Block, *, limit: int) -> Message | None:
        """Take a Block2 piece: the whole response, or None when there is more to ask for (RFC 7959 §2.4).

        Raises:
            DecodeError, IncompleteBodyError, BodyTooLargeError: a piece that does not fit to the others.
        """
        etag = inner.option(OptionNumber.ETAG)
        if block.num == 0:
            self.assembly = Assembly(limit, etag=etag)
            self.head = inner
        if self.assembly is None or self.head is None:
            raise DecodeError(f"expected block 0 of the response, got {block.num}", spec="RFC 7959 §2.4")
        try:
            body = self.assembly.add(block, inner.payload, etag=etag)
        except IncompleteBodyError:
            if self.request.code not in _REPEATABLE or not self.may_restart():
                raise
            self.stop_collecting()
            return None
        if body is None:
            return None
        whole = self.head.with_options(without=OF_BLOCKS)
        whole.payload = body
        self.stop_collecting()
        return whole

    def stop_collecting(self) -> None:
        """Forget the pieces of a response."""
        self.assembly = self.head = None

    def _start_upload(self) -> None:
        """Send the body in blocks, if it is longer than one message takes (RFC 7959 §2.5)."""
        if len(self.request.payload) > self.pieces.whole:
            self.sender = BodySender(self.request.payload, self.pieces)
            self.keep_apart()

    def _wished_size(self) -> list[tuple[int, bytes]]:
        """Which blocks we take, where that is not what everybody takes (RFC 7959 §2.4)."""
        if self.pieces.szx >= _USUAL_SZX:
            return []
        return [(OptionNumber.BLOCK2, Block(0, False, self.pieces.szx).encode())]

    def _shrink(self, szx: int) -> bool:
        """Begin again in smaller blocks, or in blocks at all (RFC 7959 §2.9.3)."""
        if self.sender is not None:
            return self.sender.shrink(szx)
        self.pieces = self.pieces.at_most(szx)
        self._start_upload()
        return self.sender is not None
