"""What both roles share below them: datagrams out, duplicates, message IDs, retransmission (RFC 7252 §4)."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.event import Address
from thingstead.endpoint.exchange import ServerExchange
from thingstead.endpoint.memory import Memory
from thingstead.protocols.coap.block import Pieces
from thingstead.protocols.coap.message import Message, MessageType, encode_as
from thingstead.protocols.coap.reliability import Retransmitter
from thingstead.protocols.coap.token import MessageIds

__all__ = ["MessageLayer", "acknowledgement", "reset"]

_ACK_HEAD = bytes((0x40 | MessageType.ACK << 4, 0))
_PROTECTION = 128
"""Bytes by which OSCORE makes a message of one block longer: inner options, tag, countersignature."""
_RST_HEAD = bytes((0x40 | MessageType.RST << 4, 0))


class MessageLayer:
    """Datagrams in and out of one socket.

    Attributes:
        known: what is remembered for peers behind an association.
        strangers: the same for everybody else; a flood here pushes nothing out there.
        mids: message IDs of our own messages.
        retransmitter: our confirmable messages.
        outgoing: datagrams to send now, in order.
        jitter: gives a random number from 0 to 1.
        room: bytes of a body that go into one message to anybody, uncut.
        is_reliable: the transport keeps order and loses nothing (RFC 8323).
    """

    is_reliable = False

    @property
    def encode(self) -> Callable[[Message, int, int, bytes], bytes]:
        """What gives the bytes of a message with its type, message ID and token."""
        return encode_as

    __slots__ = (
        "_delayed",
        "_delayed_count",
        "_max_delayed",
        "_pieces",
        "jitter",
        "known",
        "mids",
        "outgoing",
        "retransmitter",
        "room",
        "strangers",
    )

    def __init__(self, config: EndpointConfig, random_bytes: Callable[[int], bytes]) -> None:
        self.known: Memory[ServerExchange] = Memory(config.known, config.transmission)
        self.strangers: Memory[ServerExchange] = Memory(config.strangers, config.transmission, beside=self.known)
        self.mids = MessageIds(random_bytes, max_peers=config.max_peers)
        self.jitter = _Jitter(random_bytes)
        self.retransmitter: Retransmitter[Address] = Retransmitter(
            config.transmission, jitter=self.jitter, max_queued=config.max_queued
        )
        self.outgoing = self.retransmitter.outgoing
        self._pieces = Pieces(config.block_szx, slack=_PROTECTION if config.relays else 0)
        self.room = self._pieces.whole
        self._delayed: list[tuple[float, int, bytes, Address]] = []
        self._delayed_count = 0
        self._max_delayed = config.max_queued

    def pieces(self, destination: Address, *, is_protected: bool) -> Pieces:  # noqa: ARG002 (connections differ)
        """How a body for `destination` is cut."""
        return self._pieces

    def max_token(self, destination: Address) -> int | None:  # noqa: ARG002 (connections differ)
        """Bytes of the longest token that a peer has said it takes; None where it cannot say (RFC 8974 §2.2)."""
        return None

    def find(self, exchange_id: int) -> ServerExchange | None:
        """The exchange that still takes a response."""
        known, strangers = self.known, self.strangers
        return (
            known.open.get(exchange_id)
            or strangers.open.get(exchange_id)
            or known.observing.get(exchange_id)
            or strangers.observing.get(exchange_id)
        )

    def is_duplicate(self, name: tuple[Address, bytes]) -> bool:
        """Whether this source has sent this datagram before, and it was accepted; a reply to it goes out again."""
        reply = self.known.duplicates.reply_to(name)
        if reply:
            self.outgoing.append((reply, name[0]))
        return reply is not None

    def send_later(self, data: bytes, destination: Address, *, now: float, spread: float) -> None:
        """Send at a random moment of the next `spread` seconds (RFC 7252 §8.2); when many wait, not at all."""
        if len(self._delayed) >= self._max_delayed:
            return
        self._delayed_count += 1
        entry = (now + self.jitter() * spread, self._delayed_count, data, destination)
        heapq.heappush(self._delayed, entry)

    def expire(self, now: float) -> list[int]:
        """Send what is due; the owners of messages that nobody acknowledged."""
        while self._delayed and self._delayed[0][0] <= now:
            _, _, data, destination = heapq.heappop(self._delayed)
            self.outgoing.append((data, destination))
        return self.retransmitter.expire(now)

    def next_deadline(self) -> float | None:
        """When `expire` has something to do."""
        deadline = self.retransmitter.next_deadline()
        if self._delayed and (deadline is None or self._delayed[0][0] < deadline):
            return self._delayed[0][0]
        return deadline


def acknowledgement(data: bytes) -> bytes:
    """The Empty ACK to a confirmable datagram (RFC 7252 §4.2)."""
    return _ACK_HEAD + data[2:4]


def reset(data: bytes) -> bytes:
    """The RST to a datagram (RFC 7252 §4.2)."""
    return _RST_HEAD + data[2:4]


class _Jitter:
    __slots__ = ("_random_bytes",)

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes

    def __call__(self) -> float:
        return int.from_bytes(self._random_bytes(2), "big") / 65536
