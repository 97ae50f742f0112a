"""Who answers: logins that nobody passes, mail that goes nowhere, names and clouds of an Internet that is one host."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from ipaddress import IPv4Address

from thingstead.enforcement.namespace import inside
from thingstead.simulator.lab import frame
from thingstead.simulator.lab.cast import KINDS
from thingstead.simulator.lab.habit import cloud_name

__all__ = ["OUTSIDE_TCP", "OUTSIDE_UDP", "Dummies"]

OUTSIDE_TCP = (22, 23, 25, 80, 443, 4444)
OUTSIDE_UDP = (53, 123)
_BACKLOG = 64
_LONGEST = 65_535
_ROUNDS = 50
_PACKET_INFO = 8
"""IP_PKTINFO (ip(7)): the address that was asked, of a socket that has many; the answer must come from it."""

_BANNERS = {22: b"SSH-2.0-Dummy\r\n", 23: b"login: ", 25: b"220 mail.example\r\n"}
_ANSWERS = {
    22: b"denied\r\n",
    23: b"login incorrect\r\nlogin: ",
    25: b"250 ok\r\n",
    80: b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    443: b"\x17\x03\x03\x00\x50" + b"\x5a" * 80,
    7547: b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n\r\n",
}
_ADDRESSES = {cloud_name(name): kind.cloud for name, kind in KINDS.items()}
_LONG = b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:dummy\r\n\r\n" * 20


class Dummies:
    """Sockets in the lab's namespaces, answered in turns; nothing runs by itself.

    Attributes:
        heard_here: datagrams that came to this process's own namespace since this was set to 0.
    """

    def __init__(self) -> None:
        self.heard_here = 0
        self._selector = selectors.DefaultSelector()

    def open(self, namespace: int | None, *, tcp: Iterable[int] = (), udp: Iterable[int] = ()) -> None:
        """Serve ports in a namespace, at every address it has; None is this process's own."""
        for port in tcp:
            self._watch(_in(namespace, partial(_listen, port)), partial(self._accept, port))
        for port in udp:
            self._watch(_in(namespace, partial(_bind, port)), partial(self._on_datagrams, port, namespace is None))

    def turn(self) -> None:
        """Answer until nobody has anything more to say, or long enough."""
        for _ in range(_ROUNDS):
            ready = self._selector.select(0)
            if not ready:
                return
            for key, _ in ready:
                key.data(key.fileobj)

    def close(self) -> None:
        """Close all sockets."""
        for key in list((self._selector.get_map() or {}).values()):
            _socket(key.fileobj).close()
        self._selector.close()

    def _watch(self, sock: socket.socket, work: Callable[[socket.socket], None]) -> None:
        self._selector.register(sock, selectors.EVENT_READ, work)

    def _accept(self, port: int, listener: socket.socket) -> None:
        try:
            connection = listener.accept()[0]
        except OSError:
            return
        connection.setblocking(False)
        self._watch(connection, partial(self._on_stream, port))
        _send(connection, _BANNERS.get(port, b""))

    def _on_stream(self, port: int, connection: socket.socket) -> None:
        try:
            data = connection.recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            _send(connection, _ANSWERS.get(port, b"no\n"))
            return
        self._selector.unregister(connection)
        connection.close()

    def _on_datagrams(self, port: int, is_here: bool, sock: socket.socket) -> None:
        while True:
            try:
                data, extra, _, source = sock.recvmsg(_LONGEST, 64)
            except OSError:
                return
            self.heard_here += is_here
            for answer in _replies(port, data):
                asked = next(
                    (bytes(4) + told[8:12] + bytes(4) for _, kind, told in extra if kind == _PACKET_INFO), None
                )
                way = [] if asked is None else [(socket.IPPROTO_IP, _PACKET_INFO, asked)]
                try:
                    sock.sendmsg([answer], way, 0, source)
                except OSError:
                    # Nobody owes a dummy a way back.
                    return


def _replies(port: int, data: bytes) -> Iterator[bytes]:
    if port == 53 and len(data) > 12:
        yield frame.dns_answer(data, _address(data))
    elif port == 123:
        yield b"\x24" + bytes(47)
    elif port == 1900:
        yield _LONG


def _address(query: bytes) -> IPv4Address | None:
    labels, rest = [], query[12:]
    while rest and 0 < rest[0] < len(rest):
        labels.append(rest[1 : 1 + rest[0]].decode("ascii", "replace"))
        rest = rest[1 + rest[0] :]
    return _ADDRESSES.get(".".join(labels))


def _send(connection: socket.socket, data: bytes) -> None:
    try:
        if data:
            connection.send(data)
    except OSError:
        # Whoever asked has gone already.
        return


def _in(namespace: int | None, work: Callable[[], socket.socket]) -> socket.socket:
    return work() if namespace is None else inside(namespace, work)


def _listen(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("0.0.0.0", port))  # noqa: S104  in a namespace of the lab
    made.listen(_BACKLOG)
    made.setblocking(False)
    return made


def _bind(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_IP, _PACKET_INFO, 1)
    made.bind(("0.0.0.0", port))  # noqa: S104  in a namespace of the lab
    made.setblocking(False)
    return made


def _socket(value: object) -> socket.socket:
    if not isinstance(value, socket.socket):
        raise TypeError("only sockets are registered")
    return value
