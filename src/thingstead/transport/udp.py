"""UDP sockets drained into a sans-I/O core: one wake-up takes many datagrams, no task per packet."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
import struct
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

from thingstead.clock import Clock
from thingstead.errors import AddressError, TransportError
from thingstead.transport.source_queue import SourceQueues
from thingstead.transport.turns import Turns
from thingstead.transport.unreachable import listen_for_errors, unreachable

__all__ = ["Address", "DatagramCore", "Pump", "open_multicast_socket", "open_socket", "send_groups_through"]

Address = tuple[str, int]
"""What the kernel names a peer by; opaque to the core."""

_LOGGER = logging.getLogger(__name__)
_MAX_DATAGRAM = 2048
_MAX_READ = 256
_MAX_SERVED = 64
_STRANGERS_SERVED = 16
_STRANGERS_WAITING = 256
_NOWHERE = frozenset({errno.ENETUNREACH, errno.EPERM})
_RECEIVE_BUFFER = 4 << 20
_NEVER = float("inf")
_SORTING = 1.0
"""Seconds between two programs for the kernel: sources that were verified meanwhile wait with the strangers so long."""


class DatagramCore(Protocol):
    """What a pump drives; `Endpoint`, wrapped by the program that gives its events a meaning."""

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        """Take one datagram; never raises on what a peer sent."""
        ...

    def run(self, now: float) -> None:
        """Act on events and timers that are due."""
        ...

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Everything that may leave now."""
        ...

    def next_deadline(self) -> float | None:
        """When `run` is wanted again without a datagram; monotonic seconds."""
        ...


class Pump:
    """Moves datagrams between sockets and one core, on the event loop's own thread.

    The first socket sends; further ones (multicast groups) only receive. After `Pump.flush` nothing that the core
    wants sent is left behind, whatever asked for it. Once closed it moves nothing, whoever still asks.

    Args:
        core: what is driven.
        sockets: see above.
        clock: monotonic time.
        on_unreachable: told of each destination that the network says cannot be reached; None lets CoAP find out.
        is_known: whether somebody was verified at a source: what comes from there does not wait behind the others'.
        known_sources: all sources of which that is true, those verified last behind.
        random_bytes: returns that many fresh random bytes; with it the kernel, too, keeps what verified sources send
            apart as soon as strangers send more than they are served.
    """

    def __init__(
        self,
        core: DatagramCore,
        sockets: Sequence[socket.socket],
        *,
        clock: Clock,
        on_unreachable: Callable[[Address], None] | None = None,
        is_known: Callable[[Hashable], bool] = lambda _source: True,
        known_sources: Callable[[], Sequence[Address]] = tuple,
        random_bytes: Callable[[int], bytes] | None = None,
    ) -> None:
        self._core = core
        self._known_sources = known_sources
        self._queues = None if random_bytes is None else SourceQueues.beside(sockets[0], random_bytes)
        self._sorted_at = -_NEVER
        self._sockets = tuple(sockets)
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._is_known = is_known
        self._turns: Turns[tuple[bytes, Address, bool]] = Turns(share=_STRANGERS_SERVED, room=_STRANGERS_WAITING)
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = _NEVER
        self._is_called = False
        self._is_closed = False
        self.undeliverable = 0
        self._on_unreachable = on_unreachable
        if on_unreachable is not None:
            listen_for_errors(self._sockets[0])
        for index, sock in enumerate(self._sockets):
            self._loop.add_reader(sock, self._drain, sock, index > 0)
        if self._queues is not None:
            self._loop.add_reader(self._queues.strangers, self._drain, self._queues.strangers, False)

    def flush(self) -> None:
        """Run the core, send what it wants sent, and set the timer anew."""
        if self._is_closed:
            return
        now = self._clock.now()
        self._core.run(now)
        send = self._sockets[0].sendto
        for data, destination in self._core.datagrams_to_send(now):
            try:
                send(data, destination)
            except OSError as error:
                # A full buffer, a missing route or a firewall: CoAP retransmits what matters.
                self.undeliverable += 1
                _LOGGER.debug("datagram to %s not sent: %s", destination, error)
                if self._on_unreachable is not None and error.errno in _NOWHERE:
                    self._on_unreachable(destination)
        deadline = self._core.next_deadline()
        if deadline is not None and deadline < self._deadline:
            self._set_timer(deadline, now)

    def close(self) -> None:
        """Stop reading and close the sockets."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for sock in self._sockets:
            self._loop.remove_reader(sock)
            sock.close()
        if self._queues is not None:
            self._loop.remove_reader(self._queues.strangers)
            self._queues.close()

    @property
    def dropped(self) -> int:
        """Datagrams of strangers that found no room."""
        return self._turns.dropped

    def _set_timer(self, deadline: float, now: float) -> None:
        """Run at `deadline`, or earlier: a timer that finds nothing due costs less than one set anew each time."""
        if self._timer is not None:
            self._timer.cancel()
        self._deadline = deadline
        self._timer = self._loop.call_later(max(0.0, deadline - now), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._deadline = _NEVER
        self.flush()

    def _drain(self, sock: socket.socket, multicast: bool) -> None:
        """Read what has come, serve whose turn it is, send the answers."""
        if self._is_closed:
            return
        if self._on_unreachable is not None:
            for destination in unreachable(sock):
                self._on_unreachable(_plain(destination))
        now = self._clock.now()
        turns, is_known, receive = self._turns, self._is_known, self._core.receive_datagram
        turns.begin()
        served = 0
        for _ in range(_MAX_READ):
            try:
                data, source = sock.recvfrom(_MAX_DATAGRAM)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                _LOGGER.debug("socket error while reading: %s", error)
                break
            if len(source) > 2 and not source[3]:
                source = source[:2]
            if not is_known(source) and not turns.admits():
                turns.wait((data, source, multicast))
                continue
            receive(data, source, now, multicast=multicast)
            served += 1
            if served == _MAX_SERVED:
                break
        for data, source, to_group in turns.waited():
            receive(data, source, now, multicast=to_group)
        self.flush()
        if turns:
            self._on_crowd(sock, multicast, now)

    def _on_crowd(self, sock: socket.socket, multicast: bool, now: float) -> None:
        """Strangers wait: have the kernel keep verified sources apart from them, and look anew soon."""
        if self._queues is not None and now >= self._sorted_at + _SORTING:
            self._sorted_at = now
            self._queues.admit(self._known_sources())
        if not self._is_called:
            self._is_called = True
            self._loop.call_soon(self._drain_again, sock, multicast)

    def _drain_again(self, sock: socket.socket, multicast: bool) -> None:
        """Somebody waits: look anew, once between two turns of the event loop's others."""
        self._is_called = False
        self._drain(sock, multicast)


def _plain(source: tuple[Any, ...]) -> Address:
    """Host and port; of IPv6 also the scope, where one is needed to answer: else an address had two names."""
    return source[:2] if len(source) > 2 and not source[3] else source


def open_socket(host: str, port: int) -> socket.socket:
    """Open a non-blocking UDP socket on one address.

    Raises:
        AddressError: the address is not ours, or the port is taken.
    """
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
        with ExitStack() as opened:
            sock = opened.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            sock.bind((host, port))
            opened.pop_all()
    except (OSError, ValueError) as error:
        raise AddressError(f"expected a free UDP address, got {host} port {port}: {error}") from error
    return sock


def open_multicast_socket(group: str, port: int, *, interface: str) -> socket.socket:
    """Open a non-blocking socket that hears an IPv4 group on the interface with address `interface`.

    Raises:
        TransportError: the group cannot be joined there.
    """
    try:
        with ExitStack() as opened:
            sock = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            membership = struct.pack("4s4s", socket.inet_aton(group), socket.inet_aton(interface))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            sock.bind((group, port))
            opened.pop_all()
    except OSError as error:
        raise TransportError(f"expected to join group {group} on {interface}: {error}") from error
    return sock


def send_groups_through(sock: socket.socket, interface: str) -> None:
    """Send what goes to IPv4 groups out of the interface with address `interface`, and hear our own."""
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
