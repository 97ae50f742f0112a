"""One connection that carries CoAP: bytes and `now` in, messages and bytes out (RFC 8323 §3, §5)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from thingstead.errors import DecodeError, ProtocolError, StateError, ThingsteadError, TransportError
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.code import is_request, is_signal
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.coap.tcp_signal import (
    Abort,
    BadCsmOptionError,
    Csm,
    Ping,
    Pong,
    Release,
    Signal,
    decode_signal,
    encode_signal,
)

__all__ = ["Connection", "ConnectionConfig"]

_PING_TOKEN = b"\x00"
_MAX_IN_CUSTODY = 16
"""Pings that wait; more are answered at once, without the option."""


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """One connection; the times bound what a peer can hold open without speaking.

    Attributes:
        limits: bounds on messages; our CSM announces them.
        csm_timeout: seconds until the peer's CSM must be there (RFC 8323 §5.3).
        message_timeout: seconds that a message may take from its first byte to its last.
        idle_timeout: seconds without a byte until we send a Ping (RFC 8323 §5.4).
        pong_timeout: seconds until something must have come after it.
        max_unsent: bytes that may wait because the peer does not read; over it the connection is over.
    """

    limits: tcp.Limits = field(default_factory=tcp.Limits)
    csm_timeout: float = 10.0
    message_timeout: float = 30.0
    idle_timeout: float = 600.0
    pong_timeout: float = 30.0
    max_unsent: int = 128 << 10


class Connection:
    """Both ends are the same, whoever opened it: each may ask, each may answer.

    Attributes:
        peer: what the peer's CSM said; base values until it is there.
        heard_at: when the peer sent something last, monotonic seconds.
        error: why the connection is over; None while it is not, or when it ended as it should.
        is_over: nothing more is taken; when `take_bytes` is drained the transport closes.
        is_released: one side asked for no more requests (RFC 8323 §5.5); who sends them has to look.
        is_to_be_left: the peer asked, and leaves it to us to close when all that it asked has been answered.
        hold_off: seconds that the peer wants no new connection for after that.
    """

    __slots__ = (
        "_config",
        "_frame_since",
        "_greeted",
        "_in_custody",
        "_opened_at",
        "_outgoing",
        "_pinged_at",
        "_reader",
        "error",
        "heard_at",
        "hold_off",
        "is_over",
        "is_released",
        "is_to_be_left",
        "peer",
    )

    def __init__(self, config: ConnectionConfig, now: float) -> None:
        """Begin with our CSM, which must be the first message (RFC 8323 §5.3)."""
        limits = config.limits
        self._config = config
        self._reader = tcp.FrameReader(limits)
        self._outgoing = bytearray()
        self._greeted = False
        self._in_custody: deque[bytes] = deque()
        self._opened_at = self.heard_at = now
        self._frame_since: float | None = None
        self._pinged_at: float | None = None
        self.peer = Csm()
        self.error: ThingsteadError | None = None
        self.is_over = False
        self.is_released = False
        self.is_to_be_left = False
        self.hold_off = 0
        self._signal(Csm(limits.max_message, block_wise=True, max_token=limits.message.max_token))

    @property
    def room(self) -> int:
        """Bytes of the longest message for the peer: it takes it, and several may wait until it reads them."""
        return min(self.peer.max_message, self._config.max_unsent // 4)

    def receive(self, data: bytes, now: float) -> list[Message]:
        """Take bytes from the stream; the requests and responses among them, in order.

        Whatever breaks the protocol ends the connection with an Abort; see `error`.
        """
        if self.is_over:
            return []
        self.heard_at = now
        self._pinged_at = None
        self._reader.receive(data)
        messages: list[Message] = []
        try:
            while not self.is_over and (message := self._reader.next_message()) is not None:
                self._frame_since = None
                if self._is_for_the_endpoint(message):
                    messages.append(message)
        except ProtocolError as error:
            self._give_up(error)
        if self._reader.held and self._frame_since is None:
            self._frame_since = now
        return messages

    def send(self, frame: bytes) -> None:
        """Send an encoded request or response.

        Raises:
            StateError: the connection is over, or the message is larger than the peer takes (RFC 8323 §5.3.1).
        """
        if self.is_over:
            raise StateError("expected a connection that is open", spec="RFC 8323 §5.6", reason="closed")
        if len(frame) > self.peer.max_message:
            raise StateError(
                f"expected a message of at most {self.peer.max_message} bytes",
                spec="RFC 8323 §5.3.1",
                reason="too-large",
            )
        self._write(frame)

    @property
    def owes_custody(self) -> bool:
        """Whether a Ping waits until all that came before it has been processed (RFC 8323 §5.4.1)."""
        return bool(self._in_custody) and not self.is_over

    @property
    def is_to_settle(self) -> bool:
        """Whether something waits until all that came has been processed and answered."""
        return self.owes_custody or (self.is_to_be_left and not self.is_over)

    def settle(self, *, may_leave: bool) -> None:
        """All that came has been processed, and answered: say so to whom that matters, and leave where we are to."""
        while self.owes_custody:
            self._signal(Pong(custody=True), self._in_custody.popleft())
        if self.is_to_be_left and may_leave:
            self.is_over = True

    def release(self) -> None:
        """Ask for no more requests; what is under way is still answered (RFC 8323 §5.5)."""
        if not self.is_over and not self.is_released:
            self.is_released = True
            self._signal(Release())

    def end(self, error: TransportError) -> None:
        """The transport is gone, or is to go without a word."""
        self._outgoing.clear()
        self._end(error)

    def take_bytes(self) -> bytes:
        """What is to be written to the stream now."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def expire(self, now: float) -> None:
        """Send a Ping to a peer that is silent; give up one that stays so."""
        deadline = self.next_deadline()
        if deadline is None or deadline > now:
            return
        if not self._greeted:
            self._abort(TransportError("no CSM came in time", spec="RFC 8323 §5.3", reason="csm-timeout"))
        elif self._frame_since is not None and self._frame_since + self._config.message_timeout <= now:
            self._abort(TransportError("a message did not come to its end in time", reason="message-timeout"))
        elif self._pinged_at is not None:
            self._abort(TransportError("no Pong came in time", spec="RFC 8323 §5.4", reason="pong-timeout"))
        else:
            self._pinged_at = now
            self._signal(Ping(), _PING_TOKEN)

    def next_deadline(self) -> float | None:
        """When `expire` has something to do."""
        config = self._config
        if self.is_over:
            return None
        if not self._greeted:
            return self._opened_at + config.csm_timeout
        if self._pinged_at is not None:
            deadline = self._pinged_at + config.pong_timeout
        else:
            deadline = self.heard_at + config.idle_timeout
        return deadline if self._frame_since is None else min(deadline, self._frame_since + config.message_timeout)

    def _is_for_the_endpoint(self, message: Message) -> bool:
        """False for what the connection acts on itself: signals, and Empty messages, which mean nothing (§3.4)."""
        if not self._greeted and message.code != Code.CSM:
            raise StateError("expected a CSM first", spec="RFC 8323 §5.3", reason="csm")
        if is_signal(message.code):
            self._on_signal(decode_signal(message, before=self.peer), message.token)
            return False
        longest = self._config.limits.message.max_token
        if is_request(message.code) and len(message.token) > longest:
            raise DecodeError(
                f"expected a token of at most {longest} bytes, as our CSM said", spec="RFC 8974 §2.2.1", reason="token"
            )
        return message.code != Code.EMPTY

    def _on_signal(self, signal: Signal, token: bytes) -> None:
        if isinstance(signal, Csm):
            self._greeted = True
            self.peer = signal
        elif isinstance(signal, Ping):
            if signal.custody and len(self._in_custody) < _MAX_IN_CUSTODY:
                self._in_custody.append(token)
            else:
                self._signal(Pong(), token)
        elif isinstance(signal, Release):
            self.is_released = self.is_to_be_left = True
            self.hold_off = self.hold_off if signal.hold_off is None else signal.hold_off
        elif isinstance(signal, Abort):
            self._end(
                TransportError(f"the peer aborted: {signal.diagnostic!r}", spec="RFC 8323 §5.6", reason="aborted")
            )

    def _give_up(self, error: ProtocolError) -> None:
        number = error.number if isinstance(error, BadCsmOptionError) else None
        self._abort(error, number)

    def _abort(self, error: ThingsteadError, bad_csm_option: int | None = None) -> None:
        """Say why in one word, which tells the peer what it did and nothing about us, and be over."""
        self._signal(Abort(bad_csm_option, error.reason))
        self._end(error)

    def _end(self, error: ThingsteadError) -> None:
        self.is_over = True
        self.error = self.error or error

    def _signal(self, signal: Signal, token: bytes = b"") -> None:
        self._write(tcp.encode(encode_signal(signal, token)))

    def _write(self, frame: bytes) -> None:
        self._outgoing += frame
        if len(self._outgoing) > self._config.max_unsent:
            self._outgoing.clear()
            self._end(TransportError("the peer does not read what it asks for", reason="unread"))
