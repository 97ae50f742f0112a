"""The message layer: retransmission, duplicates and NSTART (RFC 7252 §4)."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from thingstead.errors import StateError

__all__ = ["Deduplicator", "NoDuplicates", "Retransmitter", "TransmissionParameters"]

PeerT = TypeVar("PeerT", bound=Hashable)
_Name = tuple[Hashable, bytes]


@dataclass(frozen=True, slots=True)
class TransmissionParameters:
    """Protocol parameters (RFC 7252 §4.8); all times in seconds.

    Attributes:
        ack_timeout: first wait for an acknowledgement, before jitter.
        ack_random_factor: the jitter stretches the first wait up to this factor.
        max_retransmit: repetitions of one message.
        nstart: outstanding confirmable messages towards one peer.
        max_latency: longest time a datagram may take.
        probing_rate: bytes a second, on average, that may go to a peer that does not answer.
    """

    ack_timeout: float = 2.0
    ack_random_factor: float = 1.5
    max_retransmit: int = 4
    nstart: int = 1
    max_latency: float = 100.0
    probing_rate: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no endpoint may be configured to.

        Raises:
            ValueError: jitter that would make the first timeout shorter, or a rate or count of nothing (§4.8.1).
        """
        if self.ack_random_factor < 1 or min(self.ack_timeout, self.nstart, self.probing_rate) <= 0:
            raise ValueError("expected a random factor of at least 1, and a timeout, NSTART and rate (RFC 7252 §4.8.1)")

    @property
    def max_rtt(self) -> float:
        """The longest round trip: 202 s by default (RFC 7252 §4.8.2)."""
        return 2 * self.max_latency + self.ack_timeout

    @property
    def max_transmit_span(self) -> float:
        """From the first to the last transmission of one message (RFC 7252 §4.8.2)."""
        return self.ack_timeout * ((1 << self.max_retransmit) - 1) * self.ack_random_factor

    @property
    def max_transmit_wait(self) -> float:
        """From the first transmission until a sender gives up."""
        return self.ack_timeout * ((2 << self.max_retransmit) - 1) * self.ack_random_factor

    @property
    def exchange_lifetime(self) -> float:
        """How long a message ID of a confirmable message may not return: 247 s by default."""
        return self.max_transmit_span + self.max_rtt

    @property
    def non_lifetime(self) -> float:
        """The same for a non-confirmable message: 145 s by default."""
        return self.max_transmit_span + self.max_latency


class Deduplicator:
    """Messages seen of late, and what was replied to each (RFC 7252 §4.5).

    A duplicate is the same datagram, byte for byte and so with the same message ID, from the same peer. A
    sender of forged datagrams that only guesses message IDs therefore neither gets a stored reply sent to
    its victim, nor has the victim's own message taken for a duplicate.

    A message is named by its peer and its bytes.

    Args:
        lifetime: seconds that an entry is kept; EXCHANGE_LIFETIME.
        max_entries: entries held; the oldest gives way.
        max_bytes: of datagrams and replies held; the oldest gives way.
        max_replays: times that one reply is given again: MAX_RETRANSMIT, for an honest sender asks no more often,
            and a recorded request must not draw its reply forever.
        beside: one whose messages this one finds too, and that finds this one's: one look serves for both. Each
            bounds its own.
    """

    __slots__ = ("_bytes", "_lifetime", "_max_bytes", "_max_entries", "_max_replays", "_order", "_replays", "_replies")

    def __init__(
        self,
        lifetime: float,
        *,
        max_entries: int,
        max_bytes: int,
        max_replays: int = 4,
        beside: Deduplicator | None = None,
    ) -> None:
        self._lifetime = lifetime
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._max_replays = max_replays
        self._replies: dict[_Name, bytes] = {} if beside is None else beside._replies
        self._replays: dict[_Name, int] = {} if beside is None else beside._replays
        self._order: deque[tuple[float, _Name]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._order)

    @property
    def held(self) -> int:
        """Bytes of the datagrams and replies held."""
        return self._bytes

    def reply_to(self, name: _Name) -> bytes | None:
        """What answers this message of this peer again.

        Returns:
            None for a new message; for a duplicate the reply, or nothing while there is none or once it is worn out.
        """
        reply = self._replies.get(name)
        if reply:
            self._replays[name] = count = self._replays.get(name, 0) + 1
            return reply if count <= self._max_replays else b""
        return reply

    def remember(self, name: _Name, now: float) -> None:
        """Enter a message that has been accepted; its reply is to follow."""
        order = self._order
        while order and (order[0][0] < now or len(order) >= self._max_entries or self._bytes > self._max_bytes):
            self._drop(order.popleft()[1])
        if name not in self._replies:
            self._replies[name] = b""
            order.append((now + self._lifetime, name))
            self._bytes += len(name[1])

    def store(self, name: _Name, reply: bytes) -> None:
        """Keep `reply` for duplicates of a message that is remembered here, unless that is forgotten already."""
        before = self._replies.get(name)
        if before is not None:
            self._replies[name] = reply
            self._bytes += len(reply) - len(before)

    def release(self, name: _Name) -> None:
        """Forget a message that is remembered here, because another is to remember it."""
        for entry in reversed(self._order):
            if entry[1] == name:
                self._order.remove(entry)
                self._drop(name)
                return

    def forget(self, peer: Hashable) -> None:
        """Drop every entry of `peer`, which has lost the right to what we replied."""
        kept: deque[tuple[float, _Name]] = deque()
        for entry in self._order:
            if entry[1][0] == peer:
                self._drop(entry[1])
            else:
                kept.append(entry)
        self._order = kept

    def _drop(self, name: _Name) -> None:
        self._bytes -= len(name[1]) + len(self._replies.pop(name))
        self._replays.pop(name, None)


class NoDuplicates(Deduplicator):
    """In the place of a `Deduplicator` where the transport repeats nothing (RFC 8323 §3.3): it remembers nothing."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0.0, max_entries=0, max_bytes=0)

    def remember(self, name: _Name, now: float) -> None:
        """Nothing."""


class _Transmission(Generic[PeerT]):
    __slots__ = ("datagram", "destination", "left", "mid", "owner", "timeout", "until", "wait")

    def __init__(
        self, datagram: bytes, destination: PeerT, mid: int, owner: int, repetitions: int, wait: float | None
    ) -> None:
        self.datagram = datagram
        self.destination = destination
        self.mid = mid
        self.owner = owner
        self.left = repetitions
        self.timeout = 0.0
        self.until = 0.0
        self.wait = wait


class Retransmitter(Generic[PeerT]):
    """Messages of ours that something is to come back for: confirmable ones, and requests (RFC 7252 §4.2, §4.7).

    Attributes:
        outgoing: (datagram, destination) to send now, in order; the owner of this object drains it.
    """

    __slots__ = (
        "_active",
        "_deadlines",
        "_jitter",
        "_max_queued",
        "_parameters",
        "_per_peer",
        "_queued",
        "_sequence",
        "_waiting",
        "outgoing",
    )

    def __init__(self, parameters: TransmissionParameters, *, jitter: Callable[[], float], max_queued: int) -> None:
        """Start with nothing outstanding.

        Args:
            parameters: times and counts.
            jitter: a number in [0, 1) each time; spreads the first timeouts.
            max_queued: messages that may wait for NSTART, over all peers.
        """
        self.outgoing: list[tuple[bytes, PeerT]] = []
        self._parameters = parameters
        self._jitter = jitter
        self._max_queued = max_queued
        self._active: dict[tuple[PeerT, int], _Transmission[PeerT]] = {}
        self._per_peer: dict[PeerT, int] = {}
        self._waiting: dict[PeerT, deque[_Transmission[PeerT]]] = {}
        self._queued = 0
        self._deadlines: list[tuple[float, int, _Transmission[PeerT]]] = []
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._active) + self._queued

    def submit(
        self,
        datagram: bytes,
        destination: PeerT,
        mid: int,
        *,
        owner: int,
        now: float,
        repetitions: int | None = None,
        wait: float | None = None,
        room: int | None = None,
    ) -> None:
        """Send a confirmable message, now or as soon as NSTART allows, and again until it is acknowledged.

        With `wait` it is a non-confirmable request, sent once: it counts as outstanding until it is answered or for
        that long, which keeps to PROBING_RATE, and nobody is told when it is not.

        Args:
            datagram: the encoded message.
            destination: where it goes.
            mid: its message ID.
            owner: what `acknowledge` and `expire` name it by.
            now: monotonic seconds.
            repetitions: at most this many retransmissions, where MAX_RETRANSMIT would be too many bytes.
            wait: seconds.
            room: messages that may wait for this destination, where `max_queued` would let one peer take all of it.

        Raises:
            StateError: too many messages wait already; this one is not taken.
        """
        count = self._parameters.max_retransmit if repetitions is None else repetitions
        transmission = _Transmission(datagram, destination, mid, owner, count if wait is None else 0, wait)
        if self._per_peer.get(destination, 0) < self._parameters.nstart:
            self._start(transmission, now)
            return
        waiting = len(self._waiting.get(destination, ()))
        if self._queued >= self._max_queued or (room is not None and waiting >= room):
            raise StateError("expected fewer messages waiting for an acknowledgement", spec="RFC 7252 §4.7")
        self._waiting.setdefault(destination, deque()).append(transmission)
        self._queued += 1

    def owner(self, source: PeerT, mid: int) -> int | None:
        """Whose message an ACK from there with this message ID is about; None if nobody's."""
        transmission = self._active.get((source, mid))
        return None if transmission is None else transmission.owner

    def acknowledge(self, source: PeerT, mid: int, now: float) -> int | None:
        """Stop repeating the message that an ACK, a RST or a response answers; its owner, or None if unknown."""
        transmission = self._active.pop((source, mid), None)
        if transmission is None:
            return None
        self._release(source, now)
        return transmission.owner

    def withdraw(self, destination: PeerT, mid: int, now: float) -> None:
        """Stop repeating a message, or take it out of the queue, because its sender wants it no more.

        One that is not repeated anyway has been sent, and goes on holding back the next.
        """
        active = self._active.get((destination, mid))
        if active is not None:
            if active.wait is None:
                self.acknowledge(destination, mid, now)
            return
        queue = self._waiting.get(destination) or ()
        for transmission in queue:
            if transmission.mid == mid:
                self._waiting[destination].remove(transmission)
                self._queued -= 1
                return

    def expire(self, now: float) -> list[int]:
        """Repeat what is due; the owners of messages that nobody acknowledged in time."""
        lost: list[int] = []
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= now:
            _, _, transmission = heapq.heappop(deadlines)
            key = (transmission.destination, transmission.mid)
            if self._active.get(key) is not transmission:
                continue
            # Who comes late misses its turn: the other end forgets what it has seen (RFC 7252 §4.2).
            if transmission.left == 0 or now > transmission.until:
                del self._active[key]
                if transmission.wait is None:
                    lost.append(transmission.owner)
                self._release(transmission.destination, now)
                continue
            transmission.left -= 1
            transmission.timeout *= 2
            self.outgoing.append((transmission.datagram, transmission.destination))
            self._schedule(transmission, now)
        return lost

    def next_deadline(self) -> float | None:
        """When `expire` has something to do; it may find that it has not."""
        while self._deadlines:
            deadline, _, transmission = self._deadlines[0]
            if self._active.get((transmission.destination, transmission.mid)) is transmission:
                return deadline
            heapq.heappop(self._deadlines)
        return None

    def _start(self, transmission: _Transmission[PeerT], now: float) -> None:
        parameters = self._parameters
        destination = transmission.destination
        self._active[destination, transmission.mid] = transmission
        self._per_peer[destination] = self._per_peer.get(destination, 0) + 1
        stretch = 1 + self._jitter() * (parameters.ack_random_factor - 1)
        transmission.timeout = parameters.ack_timeout * stretch if transmission.wait is None else transmission.wait
        transmission.until = now + parameters.max_transmit_span
        self.outgoing.append((transmission.datagram, destination))
        self._schedule(transmission, now)

    def _schedule(self, transmission: _Transmission[PeerT], now: float) -> None:
        self._sequence += 1
        heapq.heappush(self._deadlines, (now + transmission.timeout, self._sequence, transmission))

    def _release(self, destination: PeerT, now: float) -> None:
        left = self._per_peer[destination] - 1
        if left:
            self._per_peer[destination] = left
        else:
            del self._per_peer[destination]
        queue = self._waiting.get(destination)
        if queue is None:
            return
        if queue:
            self._queued -= 1
            self._start(queue.popleft(), now)
        if not queue:
            del self._waiting[destination]
