"""Datagrams in memory: delayed, lost, doubled and reordered by a seed, all recorded, with room for an attacker."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from thingstead.endpoint.event import Address
from thingstead.transport.udp import DatagramCore

__all__ = ["Datagram", "Host", "Killed", "Network"]


@dataclass(frozen=True, slots=True)
class Datagram:
    """One datagram on its way."""

    at: float
    source: Address
    destination: Address
    data: bytes


class Killed(BaseException):
    """The program died at this instruction; nobody catches it, as nobody catches a power cut."""


class Network:
    """Carries datagrams between hosts.

    Attributes:
        sent: everything that anyone sent, in order.
        on_path: an attacker, or a bad line: takes a datagram, gives what goes on instead of it.
        loss: share of datagrams that vanish.
        duplication: share that arrives twice.
        jitter: seconds by which delays differ; more than `delay` reorders.
        asleep: addresses of hosts whose radio is off: they neither send nor hear.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        seed: int = 1,
        loss: float = 0.0,
        duplication: float = 0.0,
        delay: float = 0.005,
        jitter: float = 0.0,
    ) -> None:
        self._loop = loop
        self._random = random.Random(seed)  # noqa: S311  the same seed, the same losses
        self._hosts: dict[Address, Host] = {}
        self._groups: dict[Address, set[Host]] = {}
        self.loss, self.duplication, self.delay, self.jitter = loss, duplication, delay, jitter
        self.asleep: set[Address] = set()
        self.sent: list[Datagram] = []
        self.on_path: Callable[[Datagram], Iterable[Datagram]] = lambda datagram: (datagram,)

    def send(self, data: bytes, source: Address, destination: Address) -> None:
        """Put a datagram on the wire."""
        if source in self.asleep:
            return
        datagram = Datagram(self._loop.time(), source, destination, data)
        self.sent.append(datagram)
        for passed in self.on_path(datagram):
            copies = int(self._random.random() >= self.loss) + int(self._random.random() < self.duplication)
            for _ in range(copies):
                self._loop.call_later(self.delay + self._random.random() * self.jitter, self.inject, passed)

    def inject(self, datagram: Datagram) -> None:
        """Deliver a datagram now, whoever made it."""
        members = self._groups.get(datagram.destination)
        if members is not None:
            for member in sorted(members, key=lambda host: host.address):
                if member.address != datagram.source and member.address not in self.asleep:
                    member.receive(datagram.data, datagram.source, multicast=True)
        elif datagram.destination in self._hosts and datagram.destination not in self.asleep:
            self._hosts[datagram.destination].receive(datagram.data, datagram.source)

    def attach(self, host: Host, groups: Iterable[Address] = ()) -> None:
        """Let a host hear its address, and groups."""
        self._hosts[host.address] = host
        for group in groups:
            self._groups.setdefault(group, set()).add(host)

    def detach(self, host: Host) -> None:
        """The host hears nothing any more."""
        if self._hosts.get(host.address) is host:
            del self._hosts[host.address]
        for members in self._groups.values():
            members.discard(host)


class Host:
    """Drives one core, as `Pump` does on sockets.

    Args:
        core: what is driven.
        address: its own.
        network: what carries its datagrams.
        on_killed: told when the core's program died of a `Killed`.
    """

    def __init__(
        self,
        core: DatagramCore,
        address: Address,
        network: Network,
        *,
        on_killed: Callable[[], None] = lambda: None,
        groups: Iterable[Address] = (),
    ) -> None:
        self._core = core
        self._network = network
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._on_killed = on_killed
        self._groups = tuple(groups)
        self.address = address
        self.is_up = True
        network.attach(self, self._groups)

    def receive(self, data: bytes, source: Address, *, multicast: bool = False) -> None:
        """Take one datagram, and do what follows from it."""
        if self.is_up:
            self._core.receive_datagram(data, source, self._loop.time(), multicast=multicast)
            self.flush()

    def flush(self) -> None:
        """Run the core, send what it wants sent, and set the timer anew."""
        if not self.is_up:
            return
        now = self._loop.time()
        try:
            self._core.run(now)
        except Killed:
            self.stop()
            self._on_killed()
            return
        for data, destination in self._core.datagrams_to_send(now):
            self._network.send(data, self.address, destination)
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._core.next_deadline()
        self._timer = None if deadline is None else self._loop.call_at(max(now, deadline), self.flush)

    def wake(self) -> None:
        """Go on after a `stop`, in the middle of whatever it did; everything that was due meanwhile is due now."""
        self.is_up = True
        self._network.attach(self, self._groups)
        self.flush()

    def stop(self) -> None:
        """Fall silent: its program stands still, and its radio is off."""
        self.is_up = False
        self._network.detach(self)
        if self._timer is not None:
            self._timer.cancel()
