"""A UDP relay in the test's own process: every datagram between things and controller passes an audit."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from typing import Protocol

from tests.crash.audit import GroupAudit
from thingstead.transport.udp import open_multicast_socket

__all__ = ["Relay"]

_LARGEST = 2048


class Bystander(Protocol):
    """Sees all that passes between one thing and the controller."""

    def pass_by(self, data: bytes, *, to_controller: bool, at: float) -> None:
        """Note one datagram."""
        ...


class _Leg:
    """One thing's way: the thing sends to `front`, the controller sees and answers `back`."""

    def __init__(self, audit: Bystander) -> None:
        self.audit = audit
        self.front = _bound()
        self.back = _bound()
        self.thing: tuple[str, int] | None = None


class Relay:
    """Relays for any number of things on a thread of its own; a dead end swallows, as a network does."""

    def __init__(self, controller: tuple[str, int]) -> None:
        self._controller = controller
        self._selector = selectors.DefaultSelector()
        self._closing = False
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._sockets: list[socket.socket] = [self._wake, self._woken]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, audit: Bystander) -> int:
        """Open a way for one more thing; the port that it takes for the controller's."""
        leg = _Leg(audit)
        self._sockets += [leg.front, leg.back]
        for sock, up in ((leg.front, True), (leg.back, False)):
            self._selector.register(sock, selectors.EVENT_READ, (leg, up))
        self._wake.send(b".")
        return int(leg.front.getsockname()[1])

    def overhear(self, group: str, port: int, audit: GroupAudit) -> None:
        """Listen to a multicast group on loopback, as a bystander."""
        ear = open_multicast_socket(group, port, interface="127.0.0.1")
        self._sockets.append(ear)
        self._selector.register(ear, selectors.EVENT_READ, (ear, audit))
        self._wake.send(b".")

    def close(self) -> None:
        """Stop."""
        self._closing = True
        self._wake.send(b".")
        self._thread.join()
        self._selector.close()
        for sock in self._sockets:
            sock.close()

    def _run(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select():
                if key.data is None:
                    self._woken.recv(64)
                elif isinstance(key.data[1], GroupAudit):
                    key.data[1].pass_by(key.data[0].recv(_LARGEST))
                else:
                    self._pass(*key.data)

    def _pass(self, leg: _Leg, up: bool) -> None:
        source, target = (leg.front, leg.back) if up else (leg.back, leg.front)
        with contextlib.suppress(OSError):  # nobody listens there now
            data, sender = source.recvfrom(_LARGEST)
            if up:
                leg.thing = sender
            destination = self._controller if up else leg.thing
            leg.audit.pass_by(data, to_controller=up, at=time.time())
            if destination is not None:
                target.sendto(data, destination)


def _bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock
