"""Doing what the script says, from where it says it; every act passes the guard first."""

from __future__ import annotations

import select
import socket
from collections.abc import Mapping
from functools import partial
from ipaddress import IPv4Address

from thingstead.enforcement.namespace import inside
from thingstead.simulator.lab.dummy import Dummies
from thingstead.simulator.lab.guard import Guard
from thingstead.simulator.lab.script import Datagram, Raw, Step, Talk

__all__ = ["Hands"]

_LONGEST = 65_535
_PATIENCE = 0.05
"""Seconds for a connection within one machine; dropped ones cost as much."""


class Hands:
    """Sends from the namespaces of a lab.

    Args:
        namespaces: descriptor by a character's name; its interface is ``eth0``.
        dummies: who answers.
        guard: what is asked first.
    """

    def __init__(self, namespaces: Mapping[str, int], *, dummies: Dummies, guard: Guard) -> None:
        self._namespaces = namespaces
        self._dummies = dummies
        self._guard = guard
        self._raw: dict[str, socket.socket] = {}

    def do(self, step: Step) -> bool:
        """One step; what the network does not carry is no error of ours.

        Returns:
            Whether the gateway's own sockets got a datagram of it.

        Raises:
            ForbiddenError: it would leave the lab.
        """
        self._dummies.heard_here = 0
        try:
            if isinstance(step.act, Raw):
                self._send_raw(step.who, step.act)
            elif isinstance(step.act, Datagram):
                self._send(step.who, step.act)
            else:
                self._talk(step.who, step.act)
        except OSError:
            # Refused, unreachable, full: what a thing meets on any network.
            pass
        self._dummies.turn()
        return self._dummies.heard_here > 0

    def close(self) -> None:
        """Let go of the sockets."""
        for sock in self._raw.values():
            sock.close()

    def _send_raw(self, who: str, act: Raw) -> None:
        self._guard.require_frame(act.frame)
        if who not in self._raw:
            self._raw[who] = inside(self._namespaces[who], _open_raw)
        self._raw[who].send(act.frame)

    def _send(self, who: str, act: Datagram) -> None:
        self._guard.require_address(act.to[0])
        with inside(self._namespaces[who], partial(_open, socket.SOCK_DGRAM, act.source)) as sock:
            sock.sendto(act.payload, _address(act.to))
            self._dummies.turn()
            self._hear(sock)

    def _talk(self, who: str, act: Talk) -> None:
        self._guard.require_address(act.to[0])
        with inside(self._namespaces[who], partial(_open, socket.SOCK_STREAM, act.source)) as sock:
            sock.connect_ex(_address(act.to))
            if not select.select([], [sock], [], _PATIENCE)[1] or sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return
            for line in act.lines:
                self._dummies.turn()
                self._hear(sock)
                sock.send(line)
            self._dummies.turn()
            self._hear(sock)
        self._dummies.turn()

    def _hear(self, sock: socket.socket) -> None:
        try:
            while sock.recv(_LONGEST):
                pass
        except BlockingIOError:
            return


def _open(kind: socket.SocketKind, source: tuple[IPv4Address, int]) -> socket.socket:
    made = socket.socket(socket.AF_INET, kind)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(_address(source))
    except OSError:
        made.close()
        raise
    return made


def _open_raw() -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    made.bind(("eth0", 0))
    return made


def _address(address: tuple[IPv4Address, int]) -> tuple[str, int]:
    return str(address[0]), address[1]
